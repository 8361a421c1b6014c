import { CommandError } from "@continuum-cache/core";
import { refusal } from "../algorithms/limit-script.ts";
import type { Ask } from "../ask.ts";
import type { Decision } from "../decision.ts";
import type { DenyCache } from "../deny-cache.ts";
import type { ServerClock } from "../server-clock.ts";
import type { Attempts, Outcome } from "./attempts.ts";
import type { Handover } from "./handover.ts";
import type { RedisLimits } from "./redis-limits.ts";
import { toDecision, type Verdict, type Verdicts } from "./verdict.ts";

/** Decides by Redis, and keeps what this process must know when Redis leaves. */
export interface RedisDecisions {
  /** @param onSuspicion - Called once, while it waits, when other processes may have taken Redis for away. */
  decide(asks: readonly Ask[], onSuspicion?: () => void): Promise<Outcome<Decision[]>>;
  /** How a key stands, as the decision that a call of cost 1 would get. */
  look(ask: Ask): Promise<Outcome<Decision>>;
  /** Tells Redis what it missed. Resolves when it was told, or could not be. */
  settle(): Promise<void>;
}

export interface RedisDecisionsOptions {
  readonly redis: RedisLimits;
  readonly attempts: Attempts;
  readonly handover: Handover;
  readonly denyCache: DenyCache;
  readonly clock: ServerClock;
  /** What answers through the transport. */
  readonly source: () => "redis" | "local";
}

/** Redis is told of so many keys at once. */
const keysPerRequest = 50;

export function createRedisDecisions(options: RedisDecisionsOptions): RedisDecisions {
  const { redis, attempts, handover, denyCache, clock, source } = options;

  /** Asks Redis, and tells it on the way what it has missed of these keys. */
  const ask = async (asks: readonly Ask[], deadlineMs: number): Promise<Verdicts> => {
    const claims = asks.map((each) => handover.claim(each, clock.now(), deadlineMs));
    try {
      const merges = claims.map((claim) => claim?.accepts ?? []);
      const verdicts = await redis.decide(asks, merges, deadlineMs);
      for (const [index, each] of asks.entries()) {
        const verdict = verdicts.each[index] as Verdict;
        const claim = claims[index];
        if (claim) handover.told(claim, verdict.bornUs);
        handover.decided(each, verdict, claim?.accepts ?? []);
      }
      return verdicts;
    } catch (error) {
      for (const claim of claims) if (claim) handover.untold(claim);
      throw error;
    }
  };

  return {
    async decide(asks, onSuspicion) {
      const asked = denyCache.moment;
      const outcome = await attempts.run("decide", (deadlineMs) => ask(asks, deadlineMs), onSuspicion);
      if (!outcome.result) return outcome;
      const verdicts = outcome.result;
      if (asks.length === 1 && !verdicts.isAllowed) {
        denyCache.add(asks[0] as Ask, verdicts.each[0] as Verdict, verdicts.nowUs, asked);
      }
      const nowUs = clock.now().earliestUs;
      return {
        result: asks.map((each, index) => toDecision(each, verdicts.each[index] as Verdict, nowUs, source())),
      };
    },
    look(each) {
      const { key, facts, windowUs, limit, extra } = each;
      return attempts.run("getUsage", async (deadlineMs) => {
        const { text, nowUs } = await redis.read(key, deadlineMs);
        const counter = facts.counter.open(text, nowUs, { windowUs, limit, extra, spanUs: 0 });
        if (!counter) throw new CommandError(refusal(facts.counter));
        const look = { ...counter.look(1), chargedUs: 0, bornUs: counter.bornUs, atUs: nowUs };
        return toDecision(each, look, nowUs, source());
      });
    },
    async settle() {
      const asks = handover.toTell(clock.now().earliestUs);
      for (let from = 0; from < asks.length; from += keysPerRequest) {
        const some = asks.slice(from, from + keysPerRequest).map((each) => ({ ...each, cost: 0 }));
        const { result } = await attempts.run("settle", (deadlineMs) => ask(some, deadlineMs));
        if (!result) return;
      }
    },
  };
}
