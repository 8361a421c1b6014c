import type { Standing } from "../algorithms/counter.ts";
import type { Ask } from "../ask.ts";
import type { Decision, DecisionSource } from "../decision.ts";

/** What a script says of one key. */
export interface Verdict extends Standing {
  /** When the call was charged; 0 when it was not. */
  readonly chargedUs: number;
  /** When the key was made. */
  readonly bornUs: number;
  /** When it was looked at: not before the last call that it has counted. */
  readonly atUs: number;
}

/** What a script says of one call. */
export interface Verdicts {
  readonly nowUs: number;
  readonly isAllowed: boolean;
  /** In the order of asking. */
  readonly each: readonly Verdict[];
}

const wordsPerKey = 8;

/** Reads the reply of `limit-script`. @returns undefined when it is none. */
export function readVerdicts(reply: unknown, count: number): Verdicts | undefined {
  const words = Array.isArray(reply) ? reply.map(Number) : [];
  if (words.length !== 2 + count * wordsPerKey || words.some(Number.isNaN)) return undefined;
  const [nowUs = 0, isAllowed] = words;
  const each = Array.from({ length: count }, (_, index): Verdict => {
    const at = 2 + index * wordsPerKey;
    const [isFree, ...rest] = words.slice(at, at + wordsPerKey);
    const [current = 0, retryAtUs = 0, moreAtUs = 0, resetAtUs = 0, chargedUs = 0, bornUs = 0, atUs = 0] = rest;
    return { isFree: isFree === 1, current, retryAtUs, moreAtUs, resetAtUs, chargedUs, bornUs, atUs };
  });
  return { nowUs, isAllowed: isAllowed === 1, each };
}

/** Seconds from one time to a later one; 0 when it is over. */
const secondsUntil = (timeUs: number, nowUs: number): number => Math.max(0, timeUs - nowUs) / 1_000_000;

/** A verdict in the words of whoever asked. */
export function toDecision(ask: Ask, verdict: Verdict, nowUs: number, source: DecisionSource): Decision {
  const { key, algorithm, scope, windowUs, limit, capacity, cost } = ask;
  const { isFree, current, retryAtUs, moreAtUs, resetAtUs, chargedUs, bornUs, atUs } = verdict;
  return {
    allowed: isFree,
    limit: capacity,
    remaining: Math.max(0, capacity - current),
    current,
    resetAt: new Date(Math.ceil(Math.max(resetAtUs, nowUs) / 1_000)),
    retryAfter: isFree ? 0 : secondsUntil(retryAtUs, nowUs),
    moreAfter: secondsUntil(moreAtUs, nowUs),
    source,
    decidedAtUs: atUs,
    scope,
    windowSeconds: windowUs / 1_000_000,
    ...(chargedUs > 0 && {
      receipt: { id: receiptId(), key, bornUs, algorithm, atUs: chargedUs, cost, limit, capacity, windowUs },
    }),
  };
}

let processId: string | undefined;
let receipts = 0;

/** Unique in the world by this process's name for itself, which is made when it is needed: no platform makes one sooner. */
function receiptId(): string {
  processId ??= crypto.randomUUID();
  return `${processId}:${(receipts++).toString(36)}`;
}
