import type { CounterState } from "../algorithms/counter.ts";
import type { Decision, DecisionSource } from "../types.ts";
import type { LimitRequest } from "./limit-request.ts";

/** The result of a limit script for one key. */
export interface LimitResult extends CounterState {
  /** When the call was charged; 0 when it was not. */
  readonly chargedUs: number;
  /** When the key was created. */
  readonly bornUs: number;
  /** When the script read it: never before the last call that it has counted. */
  readonly atUs: number;
}

/**
 * The part of a result that is remembered. It is overwritten in place, so that no object of a call outlives the call.
 */
export interface LastKnownState {
  bornUs: number;
  current: number;
  resetAtUs: number;
}

/** Seconds from one time to a later one; 0 when it is over. */
const secondsUntil = (timeUs: number, nowUs: number): number => Math.max(0, timeUs - nowUs) / 1_000_000;

/**
 * Converts the result of a script to the public `Decision`.
 * @param decidedAtUs - Default: when the script read the key.
 */
export function toDecision(
  request: LimitRequest,
  result: LimitResult,
  nowUs: number,
  source: DecisionSource,
  decidedAtUs: number = result.atUs,
): Decision {
  const { key, algorithm, scope, windowUs, limit, capacity, cost } = request;
  const { isFree, current, retryAtUs, moreAtUs, resetAtUs, chargedUs, bornUs } = result;
  const decision: { -readonly [Name in keyof Decision]: Decision[Name] } = {
    allowed: isFree,
    limit: capacity,
    remaining: Math.max(0, capacity - current),
    current,
    resetAt: new Date(Math.ceil(Math.max(resetAtUs, nowUs) / 1_000)),
    retryAfter: isFree ? 0 : secondsUntil(retryAtUs, nowUs),
    moreAfter: secondsUntil(moreAtUs, nowUs),
    source,
    decidedAtUs,
    scope,
    windowSeconds: windowUs / 1_000_000,
  };
  if (chargedUs > 0) {
    decision.receipt = { id: receiptId(), key, bornUs, algorithm, atUs: chargedUs, cost, limit, capacity, windowUs };
  }
  return decision;
}

let processId: string | undefined;
let receipts = 0;

/**
 * Globally unique. The process's id is made on first use, since some platforms allow no random values before a request.
 */
function receiptId(): string {
  processId ??= crypto.randomUUID();
  return `${processId}:${receipts++}`;
}
