import type { Decision, OnError, Receipt } from "../types.ts";
import type { Outcome } from "./attempts.ts";
import type { LimitRequest } from "./limit-request.ts";
import type { LocalDecisions, Reservation } from "./local-decisions.ts";
import type { OutageReconciler } from "./outage-reconciler.ts";
import type { RedisDecisions } from "./redis-decisions.ts";

/** Whether Redis is away, and how often it was. */
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
  /** The parts of all processes make the limit together: what one of them takes must be out of its part in time. */
  readonly hasExactPart: boolean;
  readonly giveBack: (request: LimitRequest, receipt: Receipt) => Promise<unknown>;
}

/** Decides by Redis and by this process's part of the limits: both must have room. */
export interface JointDecisions {
  /** Whether Redis alone decides on such a call: no outage is on or was a moment ago, and none may begin unnoticed. */
  isForRedisAlone(requests: readonly LimitRequest[]): boolean;
  /**
   * Asks Redis. In an outage, shortly after it, and from the moment at which a call has to wait as if there were one,
   * this process's part must have room as well.
   */
  decide(requests: readonly LimitRequest[]): Promise<Outcome<Decision[]>>;
}

/** A process that refuses by its part asks Redis this often whether it is there. */
const lookEveryMs = 100;

export function createJointDecisions(options: JointDecisionsOptions): JointDecisions {
  const { byRedis, here, reconciler, outages, onError, hasExactPart, giveBack } = options;
  let lookAtMs = Number.NEGATIVE_INFINITY;

  const keepsToPart = (requests: readonly LimitRequest[]): boolean =>
    onError === "local" && reconciler.limitsToLocalQuota(requests);

  /** A process that refuses by its part would miss the next outage. */
  const lookForOutage = async ([first]: readonly LimitRequest[]): Promise<void> => {
    const nowMs = performance.now();
    if (!hasExactPart || !first || nowMs < lookAtMs) return;
    lookAtMs = nowMs + lookEveryMs;
    await byRedis.look(first);
  };

  return {
    isForRedisAlone: (requests) => !hasExactPart && !keepsToPart(requests),
    async decide(requests) {
      let reserved = keepsToPart(requests) ? here.reserve(requests) : undefined;
      const refuse = ({ refusals }: Reservation): Outcome<Decision[]> => ({
        result: refusals ?? here.decideBlindly(requests, false, "closed"),
      });
      // In an outage, whether Redis is back is worth a request all the same.
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
      // With an outage meanwhile the parts were counted anew, without this call.
      if (outages.count === outagesBefore) reserved.giveBack?.();
      if (!isAllowed) return outcome;
      // It counts from now, as it does in Redis.
      reserved = here.reserve(requests);
      if (reserved.giveBack) return outcome;
      // What Redis allows beyond the part is not this process's to take.
      for (const [index, { receipt }] of outcome.result?.entries() ?? [])
        if (receipt) await giveBack(requests[index] as LimitRequest, receipt);
      return refuse(reserved);
    },
  };
}
