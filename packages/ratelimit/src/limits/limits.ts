import type { Events } from "@continuum-cache/core";
import type { Breaker } from "@continuum-cache/core/kit";
import type { LatencyEstimator } from "../timing/latency.ts";
import type { ServerClock } from "../timing/server-clock.ts";
import { withTimeout } from "../timing/timeout.ts";
import type { Decision, OnError, RateLimiterEvents, Receipt, Usage } from "../types.ts";
import { type Attempts, createAttempts, type Outcome } from "./attempts.ts";
import type { DenyCache } from "./deny-cache.ts";
import { createJointDecisions, type Outages } from "./joint-decisions.ts";
import type { LimitRequest } from "./limit-request.ts";
import { toDecision } from "./limit-result.ts";
import { createLocalDecisions, type LocalDecisions } from "./local-decisions.ts";
import type { LocalLimits } from "./local-limits.ts";
import { createOutageReconciler, type OutageReconciler } from "./outage-reconciler.ts";
import { createRedisDecisions, type RedisDecisions } from "./redis-decisions.ts";
import type { RedisLimits } from "./redis-limits.ts";
import { createTrafficShare } from "./traffic-share.ts";

/** Decides on calls: by Redis while it answers, and as `onError` says while it does not. */
export interface Limits {
  /** Decides on a call that is under one limit. */
  decide(request: LimitRequest): Promise<Decision>;
  /** Decides on a call that is under several. */
  decideAll(requests: readonly LimitRequest[]): Promise<Decision[]>;
  usage(request: LimitRequest): Promise<Usage>;
  refund(request: LimitRequest, receipt: Receipt): Promise<boolean>;
  /** Resets a key. @param send - Resets it in Redis. It is called behind all decisions that were sent before. */
  reset<Result>(key: string, send: () => Promise<Result>): Promise<Result>;
  /** Replays to Redis what it missed. Resolves when that is done, or has failed. */
  settle(): Promise<void>;
}

export interface LimitsOptions {
  readonly redis: RedisLimits;
  readonly local: LocalLimits;
  readonly processes: number | undefined;
  readonly maxKeys: number;
  readonly denyCache: DenyCache;
  readonly breaker: Breaker;
  readonly latency: LatencyEstimator;
  readonly clock: ServerClock;
  readonly onError: OnError;
  readonly budgetMs: number;
  readonly transportName: string;
  readonly events: Events<RateLimiterEvents>;
  /** Whether Redis or a memory answers through the transport. */
  readonly source: () => "redis" | "local";
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined;
}

/** Time for all processes to notice that Redis is back: the breaker waits a second at most, and then they replay. */
const returnMs = (budgetMs: number): number => 3_000 + 2 * budgetMs;

export function createLimits(options: LimitsOptions): Limits {
  const { local, processes, maxKeys, latency, clock, onError, budgetMs, events, waitUntil } = options;
  const share = createTrafficShare(processes);
  const reconciler = createOutageReconciler({ share, local, maxKeys, returnMs: returnMs(budgetMs) });
  /**
   * Whether this process may decide by itself while Redis may be answering others: there are no others, or their calls
   * do not matter.
   */
  const mayDecideAlone = onError !== "local" || processes === 1;
  /** Whether the processes' parts add up to the limit, so that each process must charge its own part in time. */
  const hasExactPart = onError === "local" && (processes ?? 1) > 1;
  const outages: Outages = { isAway: false, count: 0 };
  let settling: Promise<void> | undefined;

  const onFailure = (operation: string, error: Error): void => events.emit("error", { operation, error });
  const attempts = createWatchedAttempts(options, {
    ...{ outages, reconciler, onFailure, hasExactPart, mayDecideAlone },
    onReturn() {
      settling = byRedis.settle();
      waitUntil?.(settling);
    },
  });
  const byRedis = createRedisDecisions({ ...options, attempts, reconciler, onFailure });
  const here = createLocalDecisions({ local, reconciler, clock, waitMs: () => attempts.waitMs });

  const decideWithoutRedis = (requests: readonly LimitRequest[], reason: "away" | "late"): Decision[] =>
    decideInstead(here, onError, requests, reason === "away" || mayDecideAlone);

  const { giveBack, refund, reset } = createRefunds({ ...options, attempts, byRedis, reconciler });
  const joint = createJointDecisions({ byRedis, here, reconciler, outages, onError, hasExactPart, giveBack });

  /** Calls `settle` with the decisions. */
  const decideThen = (
    requests: readonly LimitRequest[],
    settle: (decisions: Decision[]) => void,
    reject: (error: unknown) => void,
  ): void => {
    const settleBy = ({ result, reason }: Outcome<Decision[]>): void => {
      try {
        settle(result ?? decideWithoutRedis(requests, reason));
      } catch (error) {
        reject(error);
      }
    };
    // Without an outage Redis alone decides, with no promise besides the caller's.
    if (joint.isForRedisOnly(requests)) byRedis.decide(requests, settleBy);
    else joint.decide(requests).then(settleBy, reject);
  };

  return {
    decide(request) {
      const remembered = denied(request, options);
      if (remembered) return Promise.resolve(remembered);
      return new Promise((resolve, reject) => {
        decideThen([request], (decisions) => resolve(decisions[0] as Decision), reject);
      });
    },
    decideAll(requests) {
      const remembered = requests.length === 1 ? denied(requests[0] as LimitRequest, options) : undefined;
      if (remembered) return Promise.resolve([remembered]);
      return new Promise((resolve, reject) => decideThen(requests, resolve, reject));
    },
    async usage(request) {
      const { result, reason = "away" } = await byRedis.look(request);
      const { current, remaining, resetAt } =
        result ?? (decideWithoutRedis([{ ...request, cost: 0 }], reason)[0] as Decision);
      return { current, limit: request.capacity, remaining, resetAt };
    },
    refund,
    reset,
    async settle() {
      // The request that is replaying may have disappeared, so the wait is limited.
      if (settling) await withTimeout(2 * latency.callerTimeoutMs(), settling);
      await byRedis.settle();
    },
  };
}

interface OutageWatch {
  readonly outages: Outages;
  readonly reconciler: OutageReconciler;
  readonly onFailure: (operation: string, error: Error) => void;
  readonly hasExactPart: boolean;
  readonly mayDecideAlone: boolean;
  /** Redis is back after an outage. */
  readonly onReturn: () => void;
}

/** The attempts, which report each outage to the reconciler and the listeners. */
function createWatchedAttempts(options: LimitsOptions, watch: OutageWatch): Attempts {
  const { clock, events, onError } = options;
  const { outages, reconciler, onFailure, hasExactPart, mayDecideAlone, onReturn } = watch;
  return createAttempts({
    ...options,
    waitsUntilClear: !mayDecideAlone,
    isWary: hasExactPart,
    onAway(error, silentMs) {
      if (outages.isAway) return;
      outages.isAway = true;
      outages.count++;
      reconciler.beginOutage(clock.now().latestUs - silentMs * 1_000);
      events.emit("backend", { from: "redis", to: onError, reason: error.message });
    },
    onAnswer(isSuspect) {
      if (outages.isAway || isSuspect) reconciler.endOutage();
      if (!outages.isAway) return;
      outages.isAway = false;
      events.emit("backend", { from: onError, to: "redis", reason: "Redis answers again" });
      onReturn();
    },
    onDoubt: () => clock.doubt(),
    onFailure,
  });
}

interface RefundsOptions extends Pick<LimitsOptions, "redis" | "local" | "denyCache" | "clock"> {
  readonly attempts: Attempts;
  readonly byRedis: RedisDecisions;
  readonly reconciler: OutageReconciler;
}

interface Refunds extends Pick<Limits, "refund" | "reset"> {
  /** Gives a call back in Redis. @returns how much of it was still there. */
  readonly giveBack: (request: LimitRequest, receipt: Receipt) => Promise<number>;
}

/** Gives calls back and resets keys, in Redis and in this process. */
function createRefunds(options: RefundsOptions): Refunds {
  const { redis, local, denyCache, clock, attempts, byRedis, reconciler } = options;

  const giveBack = async (request: LimitRequest, receipt: Receipt): Promise<number> => {
    byRedis.flush();
    const { result = 0 } = await attempts.run("refund", (deadlineMs) => redis.refund(request, receipt, deadlineMs));
    if (result > 0) reconciler.recordRefund(request.key, receipt.atUs, request.cost);
    return result;
  };

  return {
    giveBack,
    async refund(request, receipt) {
      denyCache.lift(request.key);
      const taken = local.has(request.key) ? local.refund(request, receipt, clock.now().latestUs) : 0;
      const there = await giveBack(request, receipt);
      denyCache.lift(request.key);
      if (taken > 0 && there === 0) reconciler.recordRefund(request.key, receipt.atUs, request.cost);
      return taken + there > 0;
    },
    async reset(key, send) {
      const forget = (): void => {
        denyCache.lift(key);
        reconciler.forget(key);
      };
      byRedis.flush();
      const result = await redis.inOrder(() => {
        forget();
        return send();
      });
      byRedis.flush();
      forget();
      return result;
    },
  };
}

/**
 * Decides as `onError` says.
 * @param mayDecide - Whether this process may decide by its local quota: not while Redis may be answering others.
 */
function decideInstead(
  here: LocalDecisions,
  onError: OnError,
  requests: readonly LimitRequest[],
  mayDecide: boolean,
): Decision[] {
  if (onError === "open") return here.decideWithoutLooking(requests, true, "open");
  const decisions = onError === "local" && mayDecide ? here.decide(requests) : undefined;
  return decisions ?? here.decideWithoutLooking(requests, false, "closed");
}

/** The remembered denial for a request, if it certainly still applies. */
function denied(
  request: LimitRequest,
  { denyCache, clock }: Pick<LimitsOptions, "denyCache" | "clock">,
): Decision | undefined {
  const denial = denyCache.find(request);
  const now = denial && clock.trusted();
  if (!now || now.latestUs >= denial.untilUs) return undefined;
  return toDecision(request, denial.result, now.earliestUs, "deny-cache", now.earliestUs);
}
