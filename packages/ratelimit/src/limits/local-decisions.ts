import type { ServerClock } from "../timing/server-clock.ts";
import type { Decision, DecisionSource } from "../types.ts";
import type { CallResult } from "./batch.ts";
import type { LimitRequest } from "./limit-request.ts";
import { type LimitResult, toDecision } from "./limit-result.ts";
import type { LocalLimits } from "./local-limits.ts";
import type { LocalQuota } from "./local-quota.ts";
import type { OutageReconciler } from "./outage-reconciler.ts";

/** Decides without Redis. */
export interface LocalDecisions {
  /** Decides by the local quota of each limit; undefined when one of them has none that could hold the call. */
  decide(requests: readonly LimitRequest[]): Decision[] | undefined;
  /** Gives every call the same decision, without looking at any limit. */
  decideWithoutLooking(requests: readonly LimitRequest[], isFree: boolean, source: DecisionSource): Decision[];
  /** Charges the call to the local quotas, before Redis decides on it. */
  reserve(requests: readonly LimitRequest[]): Reservation;
}

/**
 * A call that was charged to the local quotas, with the function that gives it back. Or its refusal, when they have no
 * room; undefined as in `decide`.
 */
export type Reservation =
  | { readonly giveBack: () => void; readonly refusals?: never }
  | { readonly giveBack?: never; readonly refusals: Decision[] | undefined };

export interface LocalDecisionsOptions {
  readonly local: LocalLimits;
  readonly reconciler: OutageReconciler;
  readonly clock: ServerClock;
  /** How long until Redis is tried again. */
  readonly waitMs: () => number;
}

/** Refusals without a look at any limit tell callers to wait at least this long. */
const leastWaitMs = 1_000;

export function createLocalDecisions({ local, reconciler, clock, waitMs }: LocalDecisionsOptions): LocalDecisions {
  const partsOf = (requests: readonly LimitRequest[]): readonly LocalQuota[] | undefined => {
    const parts = requests.map((request) => reconciler.localQuota(request, clock.now()));
    return parts.every((part) => part !== undefined) ? parts : undefined;
  };

  const charge = (parts: readonly LocalQuota[]): CallResult =>
    local.decide(
      parts.map(({ request }) => request),
      parts.map(({ initialUsage }) => initialUsage),
      // The latest bound, as in the replay to Redis: within this process the difference is always the same.
      clock.now().latestUs,
    );

  const toDecisions = (
    requests: readonly LimitRequest[],
    parts: readonly LocalQuota[],
    { results, nowUs }: CallResult,
  ): Decision[] =>
    requests.map((request, index) => {
      const result = results[index] as LimitResult;
      // Quota that other processes may use is not free for this process.
      const current = request.capacity - Math.max(0, (parts[index] as LocalQuota).request.capacity - result.current);
      return toDecision(request, { ...result, current }, nowUs, "local");
    });

  return {
    decide(requests) {
      const parts = partsOf(requests);
      if (!parts) return undefined;
      const callResult = charge(parts);
      for (const [index, request] of requests.entries()) {
        reconciler.recordLocalAdmission(request, (callResult.results[index] as LimitResult).chargedUs);
      }
      return toDecisions(requests, parts, callResult);
    },
    decideWithoutLooking(requests, isFree, source) {
      const nowUs = clock.now().earliestUs;
      const atUs = isFree ? 0 : nowUs + Math.max(leastWaitMs, waitMs()) * 1_000;
      const times = { retryAtUs: atUs, moreAtUs: atUs, resetAtUs: atUs };
      return requests.map((request) => {
        const current = isFree ? 0 : request.capacity;
        return toDecision(request, { isFree, current, ...times, chargedUs: 0, bornUs: 0, atUs: nowUs }, nowUs, source);
      });
    },
    reserve(requests) {
      const parts = partsOf(requests);
      if (!parts) return { refusals: undefined };
      const callResult = charge(parts);
      if (!callResult.isAllowed) return { refusals: toDecisions(requests, parts, callResult) };
      return {
        giveBack() {
          const nowUs = clock.now().latestUs;
          for (const [index, { request }] of parts.entries()) {
            local.take(request, (callResult.results[index] as LimitResult).chargedUs, nowUs);
          }
        },
      };
    },
  };
}
