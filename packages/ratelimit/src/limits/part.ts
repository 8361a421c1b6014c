import type { Accept } from "../algorithms/accepts.ts";
import type { TimeBounds } from "../timing/server-clock.ts";
import type { Ask } from "./ask.ts";
import type { OwnAccepts } from "./own-accepts.ts";
import type { KnownStanding } from "./verdict.ts";

/** A limit as one process of several may use it up. */
export interface Part {
  readonly ask: Ask;
  /** What a key that is new here begins with. */
  readonly seeds: readonly Accept[];
}

/** What a process knows of a key when it has to decide on its part of the limit. */
export interface KnownUse {
  readonly share: number;
  readonly own: OwnAccepts;
  /** Redis' last word. */
  readonly known: Readonly<KnownStanding> | undefined;
  /** How much this process itself had in use then, or when Redis left. */
  readonly ownKnown: number;
}

/**
 * The part of a limit that this process may use up by itself, so that the parts of all processes never make more than
 * the limit: its share, and at first no more of it than it has used before and its share of what was left.
 *
 * What was in use when Redis left stays in use for a window. What this process itself has used of it becomes free as
 * its calls grow old, since Redis counts for none during an outage. What was left is counted carefully: others are
 * taken to have used as much again since Redis' last word.
 *
 * @returns undefined when the part is too small for the call.
 */
export function partOf(ask: Ask, { share, own, known, ownKnown }: KnownUse, now: TimeBounds): Part | undefined {
  const scaled = scale(ask, share);
  const most = scaled.capacity;
  if (scaled.limit < 1 || most < Math.max(1, ask.cost)) return undefined;

  const used = known ? useNow(ask, known, now) : 0;
  const others = Math.ceil(used * (1 - share));
  const left = part(Math.max(0, ask.capacity - used - others), share);
  const accepts = ownUse(ask, share, own.list(now.earliestUs), now);
  const block = { atUs: now.latestUs, cost: most - left - (ask.facts.slides ? ownKnown : 0) };
  const seeds = [...accepts, block].filter(({ cost }) => cost > 0);
  return { ask: scaled, seeds: seeds.map(({ atUs, cost }) => ({ bornUs: 0, atUs, cost })) };
}

type Use = Pick<Accept, "atUs" | "cost">;

/**
 * What this process has accepted, as its part begins with it: all of it where it slides, and else what Redis has not
 * counted.
 */
function ownUse(ask: Ask, share: number, own: readonly Accept[], now: TimeBounds): readonly Use[] {
  if (ask.facts.slides) return own;
  const news = own.filter(({ bornUs }) => bornUs === 0);
  if (ask.algorithm === "fixed-window") return news;
  return [{ atUs: now.latestUs, cost: owedFor(ask, share, news, now.earliestUs) }];
}

/** What Redis' last word says is in use now. */
function useNow(ask: Ask, known: Readonly<KnownStanding>, { earliestUs }: TimeBounds): number {
  if (ask.algorithm === "token-bucket") return owedTokens(ask, known, 1, earliestUs);
  return known.resetAtUs > earliestUs ? known.current : 0;
}

/** What of a share of a bucket has not flowed in again since. */
export function owedTokens(
  { windowUs, limit }: Ask,
  known: Readonly<KnownStanding>,
  share: number,
  nowUs: number,
): number {
  return Math.ceil((Math.max(0, known.resetAtUs - nowUs) / windowUs) * limit * share);
}

/** What a share of a bucket still owes of calls that were accepted one after another. */
export function owedFor({ windowUs, limit }: Ask, share: number, accepts: readonly Accept[], nowUs: number): number {
  const tokenUs = windowUs / (limit * share);
  const fullAtUs = accepts.reduce((fullUs, { atUs, cost }) => Math.max(fullUs, atUs) + cost * tokenUs, 0);
  return Math.ceil(Math.max(0, fullAtUs - nowUs) / tokenUs);
}

/** Rounded down: the parts of all processes together are not to be more than the whole. */
const part = (whole: number, share: number): number => Math.floor(whole * share + 1e-9);

function scale(ask: Ask, share: number): Ask {
  const limit = part(ask.limit, share);
  if (ask.algorithm !== "token-bucket") return { ...ask, limit, capacity: limit };
  const burst = part(ask.capacity, share);
  return { ...ask, limit, capacity: burst, extra: burst };
}
