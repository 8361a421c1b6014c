import type { Decision, OnError, Receipt } from "../types.ts";
import type { Outcome } from "./attempts.ts";
import type { LimitRequest } from "./limit-request.ts";
import type { LocalDecisions, Reservation } from "./local-decisions.ts";
import type { OutageReconciler } from "./outage-reconciler.ts";
import type { RedisDecisions } from "./redis-decisions.ts";

/** Whether Redis is away, and how many outages there were. */
export interface Outages {
  isAway: boolean;
  count: number;
}

export interface JointDecisionsOptions {
  readonly byRedis: RedisDecisions;
  readonly here: LocalDecisions;
  readonly reconciler: OutageReconciler;
  readonly outages: Readonly<Outages>;
  readonly onError: OnError;
  /** Whether the processes' parts add up to the limit, so that each process must charge its own part in time. */
  readonly hasExactPart: boolean;
  readonly giveBack: (request: LimitRequest, receipt: Receipt) => Promise<unknown>;
}

/** Decides by Redis and by this process's local quota: both must have room. */
export interface JointDecisions {
  /** Whether Redis alone decides: there is no outage, none ended a moment ago, and none can begin unnoticed. */
  isForRedisOnly(requests: readonly LimitRequest[]): boolean;
  /**
   * Requests a decision from Redis. The local quota must have room as well during an outage, shortly after it, and from
   * the moment at which a call waits so long that an outage may have begun.
   */
  decide(requests: readonly LimitRequest[]): Promise<Outcome<Decision[]>>;
}

/** A process that refuses by its local quota checks this often whether Redis still answers. */
const lookEveryMs = 100;

export function createJointDecisions(options: JointDecisionsOptions): JointDecisions {
  const { byRedis, here, reconciler, outages, onError, hasExactPart, giveBack } = options;
  let lookAtMs = Number.NEGATIVE_INFINITY;

  const keepsToQuota = (requests: readonly LimitRequest[]): boolean =>
    onError === "local" && reconciler.limitsToLocalQuota(requests);

  /** A process that refuses by its local quota sends no requests, and would miss the next outage. */
  const lookForOutage = async ([first]: readonly LimitRequest[]): Promise<void> => {
    const nowMs = performance.now();
    if (!hasExactPart || !first || nowMs < lookAtMs) return;
    lookAtMs = nowMs + lookEveryMs;
    await byRedis.look(first);
  };

  return {
    isForRedisOnly: (requests) => !hasExactPart && !keepsToQuota(requests),
    async decide(requests) {
      let reserved = keepsToQuota(requests) ? here.reserve(requests) : undefined;
      const refuse = ({ refusals }: Reservation): Outcome<Decision[]> => ({
        result: refusals ?? here.decideWithoutLooking(requests, false, "closed"),
      });
      // During an outage the request is sent all the same, to find out whether Redis is back.
      if (reserved && !reserved.giveBack && !outages.isAway) {
        await lookForOutage(requests);
        return refuse(reserved);
      }
      const outagesBefore = outages.count;
      const outcome = await new Promise<Outcome<Decision[]>>((resolve) => {
        byRedis.decide(requests, resolve, () => {
          if (!hasExactPart || outages.isAway) return;
          reconciler.endOutage();
          reserved ??= here.reserve(requests);
        });
      });
      const isAllowed = outcome.result?.every(({ allowed }) => allowed);
      if (!reserved) return outcome;
      // If an outage began meanwhile, the local quotas were computed anew, without this call.
      if (outages.count === outagesBefore) reserved.giveBack?.();
      if (!isAllowed) return outcome;
      // The call counts from now on, as it does in Redis.
      reserved = here.reserve(requests);
      if (reserved.giveBack) return outcome;
      // Redis allowed more than the local quota holds, so the call is given back.
      for (const [index, { receipt }] of outcome.result?.entries() ?? [])
        if (receipt) await giveBack(requests[index] as LimitRequest, receipt);
      return refuse(reserved);
    },
  };
}
