import type { Accept } from "../algorithms/accepts.ts";
import type { Ask } from "../ask.ts";
import type { Verdict } from "./verdict.ts";

/** In so many pieces the known use of a window is spread over the time in which it came. */
const pieces = 16;

/**
 * What a key that was in Redis begins with in this process: its share of what was used there by Redis' last word, as if
 * this process had accepted it. Between the oldest and the newest call the rest is taken to have come evenly.
 */
export function seedsOf(ask: Ask, verdict: Verdict, share: number, nowUs: number): Accept[] {
  const { algorithm, windowUs } = ask;
  const accept = (atUs: number, cost: number): Accept => ({ bornUs: 0, atUs, cost });
  switch (algorithm) {
    case "fixed-window": {
      const used = Math.round(verdict.current * share);
      return used > 0 && verdict.resetAtUs > nowUs ? [accept(nowUs, used)] : [];
    }
    case "token-bucket": {
      const owed = owedTokens(ask, verdict, share, nowUs);
      return owed > 0 ? [accept(nowUs, owed)] : [];
    }
    default:
      return spread(verdict.moreAtUs - windowUs, verdict.resetAtUs - windowUs, Math.round(verdict.current * share)).map(
        ([atUs, cost]) => accept(atUs, cost),
      );
  }
}

/** What of a share of a bucket has not flowed in again since. */
export function owedTokens({ windowUs, limit }: Ask, verdict: Verdict, share: number, nowUs: number): number {
  return Math.ceil((Math.max(0, verdict.resetAtUs - nowUs) / windowUs) * limit * share);
}

/** An amount, evenly between two times, both included. */
function spread(oldestUs: number, newestUs: number, amount: number): [atUs: number, cost: number][] {
  const count = Math.min(pieces, amount);
  return Array.from({ length: count }, (_, piece) => {
    const atUs = count === 1 ? newestUs : oldestUs + Math.round(((newestUs - oldestUs) * piece) / (count - 1));
    const cost = Math.floor((amount * (piece + 1)) / count) - Math.floor((amount * piece) / count);
    return [atUs, cost];
  });
}
