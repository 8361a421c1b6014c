import { createLru } from "@continuum-cache/core/kit";
import type { Accept } from "../algorithms/accepts.ts";
import type { TimeBounds } from "../timing/server-clock.ts";
import type { Ask } from "./ask.ts";
import type { LocalLimits } from "./local-limits.ts";
import { othersUse } from "./others-use.ts";
import { createOwnAccepts, type OwnAccepts } from "./own-accepts.ts";
import { owedFor, owedTokens, type Part, partOf } from "./part.ts";
import type { Share, Uses } from "./share.ts";
import type { KnownStanding, Verdict } from "./verdict.ts";

/**
 * What is remembered of each key so that a limit goes on where it was: in this process when Redis leaves, and in Redis
 * when it is back, with its data or without.
 */
export interface Handover {
  /** Redis has decided, and taken in on the way what was merged. */
  decided(ask: Ask, verdict: Verdict, merged: readonly Accept[]): void;
  /** This process has, and charged the call at a time (0 if it did not). */
  decidedHere(ask: Ask, chargedUs: number): void;
  refunded(key: string, atUs: number, cost: number): void;
  /** The key begins anew. */
  forget(key: string): void;
  /**
   * Redis is away, and may come back without its data.
   * @param sinceUs - By then it was: what became free later it can't have given to others.
   */
  leave(sinceUs: number): void;
  comeBack(): void;
  /** This process's part of a limit; undefined when it has none that could hold the call. */
  part(ask: Ask, now: TimeBounds): Part | undefined;
  /**
   * Whether Redis is away, or came back a moment ago: other processes may decide by themselves and have yet to tell
   * Redis, so that this one must keep to its part of one of these limits even where Redis decides.
   */
  isHeld(asks: readonly Ask[]): boolean;
  /**
   * What Redis has yet to be told of a key, until `told`; undefined when there is nothing, or another request is
   * telling it.
   * @param withinMs - For how long no other request is given it: its owner may be gone for good.
   */
  claim(ask: Ask, now: TimeBounds, withinMs: number): Claim | undefined;
  told(claim: Claim, bornUs: number): void;
  /** Redis got no word of it, as far as is known. */
  untold(claim: Claim): void;
  /** The keys of which Redis has yet to be told something. */
  toTell(nowUs: number): Ask[];
}

/** What one request tells Redis of a key. */
export interface Claim {
  readonly key: string;
  readonly number: number;
  readonly accepts: readonly Accept[];
}

export interface HandoverOptions {
  readonly share: Share;
  readonly local: LocalLimits;
  readonly maxKeys: number;
  /** By then all processes that ask have noticed that Redis is back, and told it what it missed. */
  readonly returnMs: number;
}

interface Memory {
  readonly ask: Ask;
  readonly own: OwnAccepts;
  readonly uses: Uses;
  /** What Redis last said. */
  known: KnownStanding | undefined;
  /** How much this process itself had in use then, or when Redis left. */
  ownKnown: number;
  /** The share by which the local store of this key was filled, fixed until that is dropped. */
  share: number | undefined;
  isToTell: boolean;
  /** The request that is telling it. */
  claimed: { readonly number: number; readonly untilMs: number } | undefined;
}

const never = Number.NEGATIVE_INFINITY;

/** The longest that processes which ask seldom are waited for after an outage. */
const longestHoldMs = 30_000;

export function createHandover({ share, local, maxKeys, returnMs }: HandoverOptions): Handover {
  let isAway = false;
  let backAtMs = never;
  let claims = 0;
  const memories = createLru<Memory>({ maxEntries: maxKeys });

  const memoryOf = (ask: Ask): Memory => {
    const present = memories.get(ask.key);
    if (present) return present;
    const own = createOwnAccepts(ask.windowUs * Math.max(1, ask.capacity / ask.limit));
    const uses = { own: 0, all: 0 };
    const none = { known: undefined, ownKnown: 0, share: undefined, claimed: undefined };
    const memory: Memory = { ask, own, uses, ...none, isToTell: isAway };
    memories.set(ask.key, memory);
    return memory;
  };

  const isOutage = ({ windowUs }: Ask): boolean => {
    if (isAway || backAtMs === never) return isAway;
    const holdMs = Math.max(returnMs, Math.min(windowUs / 1_000, longestHoldMs));
    return performance.now() < backAtMs + holdMs;
  };

  const shareOf = (memory: Memory): number | undefined => {
    memory.share ??= share.of(memory.uses);
    return memory.share;
  };

  /** What was decided here counts no more by itself: Redis knows all of it, and the others'. */
  const release = (memory: Memory): void => {
    memory.share = undefined;
    local.delete(memory.ask.key);
  };

  return {
    decided(ask, verdict, merged) {
      const memory = memoryOf(ask);
      const { own, known, uses } = memory;
      // Made anew while Redis was there: it was reset.
      if (known && known.bornUs !== verdict.bornUs && !memory.isToTell) own.keepOnly(verdict.bornUs);
      const cost = verdict.chargedUs > 0 ? ask.cost : 0;
      if (cost > 0) own.add(verdict.bornUs, verdict.chargedUs, cost);
      const ownUse = own.total(verdict.atUs);
      // A sliding window tells who has used how much of it; of the others only what is new can be told apart.
      if (ask.facts.slides) share.seen(uses, ownUse, verdict.current);
      else share.seen(uses, cost, cost + othersUse(ask, known, verdict, merged));
      const { bornUs, current, resetAtUs } = verdict;
      if (known) {
        known.bornUs = bornUs;
        known.current = current;
        known.resetAtUs = resetAtUs;
      } else memory.known = { bornUs, current, resetAtUs };
      memory.ownKnown = ownUse;
      if (!isOutage(ask) && !memory.isToTell) release(memory);
    },
    decidedHere(ask, chargedUs) {
      if (chargedUs === 0) return;
      const memory = memoryOf(ask);
      memory.own.add(0, chargedUs, ask.cost);
      memory.isToTell = true;
    },
    refunded: (key, atUs, cost) => memories.get(key)?.own.remove(atUs, cost),
    forget(key) {
      memories.delete(key);
      local.delete(key);
    },
    comeBack() {
      isAway = false;
      backAtMs = performance.now();
    },
    leave(sinceUs) {
      isAway = true;
      for (const [, memory] of memories) {
        memory.isToTell = true;
        memory.ownKnown = memory.own.counted(sinceUs);
        // Its part is counted anew, from what was used by now: a server that comes and goes must not give a new one
        // each time.
        release(memory);
      }
    },
    part(ask, now) {
      const memory = memoryOf(ask);
      const own = shareOf(memory);
      return own === undefined ? undefined : partOf(ask, { ...memory, share: own }, now);
    },
    isHeld: (asks) => asks.some((ask) => isOutage(ask) && shareOf(memoryOf(ask)) !== undefined),
    claim(ask, { earliestUs }, withinMs) {
      const memory = memories.peek(ask.key);
      if (!memory?.isToTell) return undefined;
      const nowMs = performance.now();
      if (memory.claimed && nowMs < memory.claimed.untilMs) return undefined;
      const number = ++claims;
      memory.claimed = { number, untilMs: nowMs + withinMs };
      const own = memory.own.claim(earliestUs, number);
      if (ask.algorithm !== "token-bucket") return { key: ask.key, number, accepts: own };
      const part = shareOf(memory) ?? 0;
      return { key: ask.key, number, accepts: part > 0 ? debts(ask, part, memory.known, own, earliestUs) : [] };
    },
    told({ key, number }, bornUs) {
      const memory = memories.get(key);
      memory?.own.settle(number, bornUs);
      if (memory?.claimed?.number !== number) return;
      memory.claimed = undefined;
      memory.isToTell = memory.own.hasNews();
    },
    untold({ key, number }) {
      const memory = memories.get(key);
      if (memory?.claimed?.number === number) memory.claimed = undefined;
    },
    toTell(nowUs) {
      const asks: Ask[] = [];
      for (const [, { isToTell, ask, own }] of memories) {
        if (isToTell && (own.total(nowUs) > 0 || ask.algorithm === "token-bucket")) asks.push(ask);
      }
      return asks;
    },
  };
}

/**
 * Of a bucket, what was accepted here and is not paid for; and this process's share of what Redis knew, should it be
 * lost.
 */
function debts(
  ask: Ask,
  share: number,
  known: KnownStanding | undefined,
  own: readonly Accept[],
  nowUs: number,
): Accept[] {
  const news = own.filter(({ bornUs }) => bornUs === 0);
  return [
    { bornUs: known?.bornUs ?? 0, atUs: nowUs, cost: known ? owedTokens(ask, known, share, nowUs) : 0 },
    { bornUs: 0, atUs: nowUs, cost: owedFor(ask, share, news, nowUs) },
  ].filter(({ cost }) => cost > 0);
}
