import { LRUCache } from "lru-cache";
import type { Accept } from "../algorithms/accepts.ts";
import type { Ask } from "../ask.ts";
import type { LocalLimits } from "./local-limits.ts";
import { othersUse } from "./others-use.ts";
import { createOwnAccepts, type OwnAccepts } from "./own-accepts.ts";
import { owedTokens, seedsOf } from "./seeds.ts";
import type { Share, Uses } from "./share.ts";
import type { Verdict } from "./verdict.ts";

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
  /** Redis is away, and may come back without its data. */
  leave(nowUs: number): void;
  comeBack(): void;
  /** This process's part of a limit, and what a key that is new here begins with. */
  part(ask: Ask, nowUs: number): Part;
  /**
   * The same shortly after Redis is back, undefined later: as long as other processes may still be on their own, this one
   * must not take what is theirs.
   */
  held(ask: Ask, nowUs: number): Part | undefined;
  /** What Redis has yet to be told of a key. To be followed by `told` or `untold`; until then nobody else is given it. */
  claim(ask: Ask, nowUs: number): readonly Accept[];
  told(key: string, claimedUs: number, bornUs: number): void;
  untold(key: string): void;
  /** The keys of which Redis has yet to be told something. */
  toTell(nowUs: number): Ask[];
}

/** A limit as one process of several may use it up. */
export interface Part {
  readonly ask: Ask;
  readonly seeds: readonly Accept[];
}

interface Memory {
  readonly ask: Ask;
  readonly own: OwnAccepts;
  readonly uses: Uses;
  /** What Redis last said. */
  known: Verdict | undefined;
  /** The share during an outage, fixed when it is first asked for. */
  share: number | undefined;
  isToTell: boolean;
  /** Whether there was an outage since Redis was last told: the others may still be on their own. */
  isLeft: boolean;
  /** Until then this process stays within its share: others may not be back yet. */
  heldUntilUs: number;
}

/** By then other processes have noticed as well that Redis is back. */
const longestHoldUs = 30_000_000;

export function createHandover(share: Share, local: LocalLimits, maxKeys: number): Handover {
  let isAway = false;
  const memories = new LRUCache<string, Memory>({ max: maxKeys });

  const memoryOf = (ask: Ask): Memory => {
    let memory = memories.get(ask.key);
    if (!memory) {
      const own = createOwnAccepts(ask.windowUs);
      memory = {
        ask,
        own,
        uses: { own: 0, all: 0 },
        known: undefined,
        share: undefined,
        isToTell: false,
        isLeft: isAway,
        heldUntilUs: 0,
      };
      memories.set(ask.key, memory);
    }
    return memory;
  };

  const shareOf = (memory: Memory): number => {
    memory.share ??= share.of(memory.uses);
    return memory.share;
  };

  /** The outage is over for good: nothing of it is left. */
  const release = (memory: Memory): void => {
    memory.share = undefined;
    memory.heldUntilUs = 0;
    local.delete(memory.ask.key);
  };

  const partOf = (memory: Memory, ask: Ask, nowUs: number): Part => {
    const part = shareOf(memory);
    return { ask: scaled(ask, part), seeds: memory.known ? seedsOf(ask, memory.known, part, nowUs) : [] };
  };

  return {
    decided(ask, verdict, merged) {
      const memory = memoryOf(ask);
      const { own, known, uses } = memory;
      // Made anew while Redis was there: somebody has reset it.
      if (known && known.bornUs !== verdict.bornUs && !memory.isToTell) own.keepOnly(verdict.bornUs);
      const cost = verdict.chargedUs > 0 ? ask.cost : 0;
      if (cost > 0) own.add({ bornUs: verdict.bornUs, atUs: verdict.chargedUs, cost });
      // A sliding window tells who has used how much of it; of the others only what is new can be told apart.
      if (ask.facts.slides) share.seen(uses, own.total(verdict.atUs), verdict.current);
      else share.seen(uses, cost, cost + othersUse(ask, known, verdict, merged));
      memory.known = verdict;
    },
    decidedHere(ask, chargedUs) {
      if (chargedUs === 0) return;
      const memory = memoryOf(ask);
      memory.own.add({ bornUs: 0, atUs: chargedUs, cost: ask.cost });
      memory.isToTell = true;
    },
    refunded: (key, atUs, cost) => memories.get(key)?.own.remove(atUs, cost),
    forget(key) {
      memories.delete(key);
      local.delete(key);
    },
    comeBack() {
      isAway = false;
    },
    leave(nowUs) {
      isAway = true;
      for (const memory of memories.values()) {
        memory.isToTell = true;
        memory.isLeft = true;
        if (memory.heldUntilUs > 0 && memory.heldUntilUs <= nowUs) release(memory);
      }
    },
    part: (ask, nowUs) => partOf(memoryOf(ask), ask, nowUs),
    held(ask, nowUs) {
      const memory = memories.get(ask.key);
      if (!memory?.heldUntilUs) return undefined;
      if (memory.heldUntilUs > nowUs) return partOf(memory, ask, nowUs);
      release(memory);
      return undefined;
    },
    claim(ask, nowUs) {
      const memory = memories.get(ask.key);
      if (!memory?.isToTell) return [];
      memory.isToTell = false;
      return ask.algorithm === "token-bucket" ? debts(memory, ask, nowUs) : memory.own.list(nowUs);
    },
    told(key, claimedUs, bornUs) {
      const memory = memories.get(key);
      if (!memory) return;
      memory.own.settle(claimedUs, bornUs);
      if (memory.isLeft) memory.heldUntilUs = claimedUs + Math.min(memory.ask.windowUs, longestHoldUs);
      else if (!memory.isToTell) release(memory);
      memory.isLeft = false;
    },
    untold(key) {
      const memory = memories.get(key);
      if (memory) memory.isToTell = true;
    },
    toTell(nowUs) {
      const news = [...memories.values()].filter(({ isToTell, ask, own }) => {
        return isToTell && (own.total(nowUs) > 0 || ask.algorithm === "token-bucket");
      });
      return news.map(({ ask }) => ask);
    },
  };

  /** Of a bucket, what this process owes beyond its share of what Redis knew; that share too, should Redis have lost it. */
  function debts(memory: Memory, ask: Ask, nowUs: number): Accept[] {
    const part = shareOf(memory);
    const { known } = memory;
    const shared = known ? owedTokens(ask, known, part, nowUs) : 0;
    const owed = local.look(scaled(ask, part), nowUs)?.current ?? shared;
    const bornUs = known?.bornUs ?? 0;
    return [
      { bornUs, atUs: nowUs, cost: Math.min(shared, owed) },
      { bornUs: 0, atUs: nowUs, cost: Math.max(0, owed - shared) },
    ].filter(({ cost }) => cost > 0);
  }
}

/** A part of a limit; what a single call may cost is never cut down. */
function scaled(ask: Ask, share: number): Ask {
  const { algorithm, limit, capacity, cost } = ask;
  const least = Math.max(1, cost);
  if (algorithm !== "token-bucket") return { ...ask, limit: Math.max(least, Math.round(limit * share)) };
  const burst = Math.max(least, Math.round(capacity * share));
  return { ...ask, limit: Math.max(1, Math.round(limit * share)), capacity: burst, extra: burst };
}
