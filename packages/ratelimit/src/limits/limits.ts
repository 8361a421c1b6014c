import type { Breaker, Events } from "@continuum-cache/core";
import type { Ask } from "../ask.ts";
import type { Decision, Usage } from "../decision.ts";
import type { DenyCache } from "../deny-cache.ts";
import type { OnError } from "../on-error.ts";
import { withPatience } from "../patience.ts";
import type { RateLimiterEvents } from "../rate-limiter-events.ts";
import type { Receipt } from "../receipt.ts";
import type { RoundTrip } from "../round-trip.ts";
import type { ServerClock } from "../server-clock.ts";
import { createAttempts, type Outcome } from "./attempts.ts";
import { createHandover } from "./handover.ts";
import { createLocalDecisions, type Reservation } from "./local-decisions.ts";
import type { LocalLimits } from "./local-limits.ts";
import { createRedisDecisions } from "./redis-decisions.ts";
import type { RedisLimits } from "./redis-limits.ts";
import { createShare } from "./share.ts";
import { toDecision } from "./verdict.ts";

/** Decides, by Redis while it answers, and by what was agreed while it does not. */
export interface Limits {
  /** Decides on a call that is under one limit. */
  decide(ask: Ask): Promise<Decision>;
  /** Decides on a call that is under several. */
  decideAll(asks: readonly Ask[]): Promise<Decision[]>;
  usage(ask: Ask): Promise<Usage>;
  refund(ask: Ask, receipt: Receipt): Promise<boolean>;
  /** A key begins anew. @param tell - Tells Redis, behind all that it was asked before. */
  reset<Result>(key: string, tell: () => Promise<Result>): Promise<Result>;
  /** Resolves when Redis has been told what it missed, or could not be. */
  settle(): Promise<void>;
}

export interface LimitsOptions {
  readonly redis: RedisLimits;
  readonly local: LocalLimits;
  readonly processes: number | undefined;
  readonly maxKeys: number;
  readonly denyCache: DenyCache;
  readonly breaker: Breaker;
  readonly roundTrip: RoundTrip;
  readonly clock: ServerClock;
  readonly onError: OnError;
  readonly budgetMs: number;
  readonly transportName: string;
  readonly events: Events<RateLimiterEvents>;
  /** What answers through the transport. */
  readonly source: () => "redis" | "local";
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined;
}

/** The breaker waits a second at most, and a process that has just come back tells Redis at once. */
const returnMs = (budgetMs: number): number => 3_000 + 2 * budgetMs;

/** A process that refuses by its part asks Redis this often whether it is there. */
const lookEveryMs = 100;

export function createLimits(options: LimitsOptions): Limits {
  const { redis, local, processes, maxKeys, denyCache, roundTrip, clock, onError, budgetMs, events, waitUntil } =
    options;
  const share = createShare(processes);
  const handover = createHandover({ share, local, maxKeys, returnMs: returnMs(budgetMs) });
  /**
   * What this process decides by itself is right also when Redis is at work for others: there are none, or it doesn't
   * matter.
   */
  const mayDecideAlone = onError !== "local" || processes === 1;
  /** The parts of all processes make the limit together: what one of them takes must be out of its part in time. */
  const hasExactPart = onError === "local" && (processes ?? 1) > 1;
  let isAway = false;
  let outages = 0;
  let lookAtMs = Number.NEGATIVE_INFINITY;
  let settling: Promise<void> | undefined;

  const onFailure = (operation: string, error: Error): void => events.emit("error", { operation, error });
  const attempts = createAttempts({
    ...options,
    waitsUntilClear: !mayDecideAlone,
    isWary: hasExactPart,
    onAway(error, silentMs) {
      if (isAway) return;
      isAway = true;
      outages++;
      handover.leave(clock.now().latestUs - silentMs * 1_000);
      events.emit("backend", { from: "redis", to: onError, reason: error.message });
    },
    onAnswer(isSuspect) {
      if (isAway || isSuspect) handover.comeBack();
      if (!isAway) return;
      isAway = false;
      events.emit("backend", { from: onError, to: "redis", reason: "Redis answers again" });
      settling = byRedis.settle();
      waitUntil?.(settling);
    },
    onDoubt: () => clock.doubt(),
    onFailure,
  });
  const byRedis = createRedisDecisions({ ...options, attempts, handover, onFailure });
  const here = createLocalDecisions({ local, handover, clock, waitMs: () => attempts.waitMs });

  /**
   * What callers get while Redis does not decide: `onError`. A process has no part of its own to decide on before
   * Redis has answered it, and as long as Redis may be at work for others.
   */
  const decideWithoutRedis = (asks: readonly Ask[], reason: "away" | "late"): Decision[] => {
    if (onError === "open") return here.decideBlindly(asks, true, "open");
    const hasPart = onError === "local" && (reason === "away" || mayDecideAlone);
    return (hasPart ? here.decide(asks) : undefined) ?? here.decideBlindly(asks, false, "closed");
  };

  const giveBack = async (each: Ask, receipt: Receipt): Promise<number> => {
    byRedis.flush();
    const { result = 0 } = await attempts.run("refund", (deadlineMs) => redis.refund(each, receipt, deadlineMs));
    if (result > 0) handover.refunded(each.key, receipt.atUs, each.cost);
    return result;
  };

  /** A process that refuses by its part would miss the next outage. */
  const lookForOutage = async ([first]: readonly Ask[]): Promise<void> => {
    const nowMs = performance.now();
    if (!hasExactPart || !first || nowMs < lookAtMs) return;
    lookAtMs = nowMs + lookEveryMs;
    await byRedis.look(first);
  };

  /**
   * Asks Redis. In an outage, shortly after it, and from the moment at which a call has to wait as if there were one,
   * this process's part must have room as well.
   */
  const decideByBoth = async (asks: readonly Ask[]): Promise<Outcome<Decision[]>> => {
    const keepsToPart = onError === "local" && handover.isHeld(asks);
    let reserved = keepsToPart ? here.reserve(asks) : undefined;
    const refuse = ({ refusals }: Reservation): Outcome<Decision[]> => ({
      result: refusals ?? here.decideBlindly(asks, false, "closed"),
    });
    // In an outage, whether Redis is back is worth a request all the same.
    if (reserved && !reserved.giveBack && !isAway) {
      await lookForOutage(asks);
      return refuse(reserved);
    }
    const outagesBefore = outages;
    const outcome = await new Promise<Outcome<Decision[]>>((resolve) => {
      byRedis.decide(asks, resolve, () => {
        if (!hasExactPart || isAway) return;
        handover.comeBack();
        reserved ??= here.reserve(asks);
      });
    });
    const isAllowed = outcome.result?.every(({ allowed }) => allowed);
    if (!reserved) return outcome;
    // With an outage meanwhile the parts were counted anew, without this call.
    if (outages === outagesBefore) reserved.giveBack?.();
    if (!isAllowed) return outcome;
    // It counts from now, as it does in Redis.
    reserved = here.reserve(asks);
    if (reserved.giveBack) return outcome;
    // What Redis allows beyond the part is not this process's to take.
    for (const [index, { receipt }] of outcome.result?.entries() ?? [])
      if (receipt) await giveBack(asks[index] as Ask, receipt);
    return refuse(reserved);
  };

  /** Calls `settle` with the decisions. */
  const decideThen = (
    asks: readonly Ask[],
    settle: (decisions: Decision[]) => void,
    reject: (error: unknown) => void,
  ): void => {
    const settleBy = ({ result, reason }: Outcome<Decision[]>): void => {
      try {
        settle(result ?? decideWithoutRedis(asks, reason));
      } catch (error) {
        reject(error);
      }
    };
    const isPlain = !hasExactPart && !(onError === "local" && handover.isHeld(asks));
    // In usual times nothing but Redis is asked: no promise beside the caller's.
    if (isPlain) byRedis.decide(asks, settleBy);
    else decideByBoth(asks).then(settleBy, reject);
  };

  return {
    decide(each) {
      const remembered = denied(each, options);
      if (remembered) return Promise.resolve(remembered);
      return new Promise((resolve, reject) => {
        decideThen([each], (decisions) => resolve(decisions[0] as Decision), reject);
      });
    },
    decideAll(asks) {
      const remembered = asks.length === 1 ? denied(asks[0] as Ask, options) : undefined;
      if (remembered) return Promise.resolve([remembered]);
      return new Promise((resolve, reject) => decideThen(asks, resolve, reject));
    },
    async usage(each) {
      const { result, reason = "away" } = await byRedis.look(each);
      const { current, remaining, resetAt } =
        result ?? (decideWithoutRedis([{ ...each, cost: 0 }], reason)[0] as Decision);
      return { current, limit: each.capacity, remaining, resetAt };
    },
    async refund(each, receipt) {
      denyCache.lift(each.key);
      const taken = local.has(each.key) ? local.refund(each, receipt, clock.now().latestUs) : 0;
      const there = await giveBack(each, receipt);
      denyCache.lift(each.key);
      if (taken > 0 && there === 0) handover.refunded(each.key, receipt.atUs, each.cost);
      return taken + there > 0;
    },
    async reset(key, tell) {
      const forget = (): void => {
        denyCache.lift(key);
        handover.forget(key);
      };
      byRedis.flush();
      const result = await redis.inOrder(() => {
        forget();
        return tell();
      });
      byRedis.flush();
      forget();
      return result;
    },
    async settle() {
      // The owner of what is under way may be gone for good.
      if (settling) await withPatience(2 * roundTrip.patienceMs(), settling);
      await byRedis.settle();
    },
  };
}

/** A denial that is remembered and surely still stands. */
function denied(ask: Ask, { denyCache, clock }: Pick<LimitsOptions, "denyCache" | "clock">): Decision | undefined {
  const denial = denyCache.find(ask);
  const now = denial && clock.trusted();
  if (!now || now.latestUs >= denial.untilUs) return undefined;
  return toDecision(ask, denial.verdict, now.earliestUs, "deny-cache", now.earliestUs);
}
