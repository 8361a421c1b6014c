import { type CacheCallOptions, isTransportError, type TransportErrorKind } from "@continuum-cache/core";
import type { Stalls } from "./stalls.ts";

/** How a caller asks. */
export interface Variant {
  readonly name: string;
  readonly options?: (times: Times) => CacheCallOptions;
  /** When its signal fires: before the call, in the same tick, or while it is under way. */
  readonly aborts?: "before" | "at once" | "under way";
  /** Insists on the primary. */
  readonly insists?: boolean;
}

/** The cache's own time for a call, and the shorter one that some callers bring, in milliseconds. */
export interface Times {
  readonly cacheMs: number;
  readonly callerMs: number;
}

const quiet = (): AbortSignal => new AbortController().signal;

export const variants: readonly Variant[] = [
  { name: "plain" },
  { name: "with a timeout", options: ({ callerMs }) => ({ timeout: `${callerMs}ms` }) },
  { name: "with a signal", options: () => ({ signal: quiet() }) },
  { name: "with both", options: ({ callerMs }) => ({ timeout: `${callerMs}ms`, signal: quiet() }) },
  { name: "insisting", options: () => ({ fallback: false }), insists: true },
  { name: "aborted before", aborts: "before" },
  { name: "aborted at once", aborts: "at once" },
  { name: "aborted under way", aborts: "under way" },
];

/** One call, and what became of it. Times are of `performance.now()`. */
export interface CallRecord {
  readonly label: string;
  readonly startMs: number;
  readonly endMs: number;
  /** How long each of its trips may take. */
  readonly tripMs: number;
  /** When it has to have ended. */
  readonly dueMs: number;
  /** Whether its signal fired before it ended. */
  readonly aborted: boolean;
  readonly outcome: { readonly value: unknown } | { readonly error: unknown };
}

/** Calls a function and keeps the books; it never rejects. */
export async function recorded(
  label: string,
  { tripMs, wholeMs }: { readonly tripMs: number; readonly wholeMs: number },
  run: () => Promise<unknown>,
): Promise<CallRecord> {
  const startMs = performance.now();
  const end = (outcome: CallRecord["outcome"]): CallRecord => ({
    label,
    startMs,
    endMs: performance.now(),
    tripMs,
    dueMs: startMs + wholeMs,
    aborted: false,
    outcome,
  });
  try {
    return end({ value: await run() });
  } catch (error) {
    return end({ error });
  }
}

/** What timers may be late on a busy machine, and promises after them; beyond that only a measured stall excuses. */
const slackMs = 50;

/** By how much a call missed its deadline in the time in which this process ran; 0 when it kept it. */
export function overrunMs({ startMs, endMs, dueMs }: CallRecord, stalls: Stalls): number {
  const overMs = endMs - dueMs - slackMs;
  return overMs <= 0 ? 0 : Math.max(0, overMs - stalls.during(startMs, endMs));
}

/**
 * Whether this process was kept from running for so much of a call's time that the rest was too short for an answer.
 */
export function wasStarved({ startMs, endMs, tripMs }: CallRecord, stalls: Stalls): boolean {
  return stalls.during(startMs, endMs) > tripMs / 2;
}

/**
 * Whether an error is what a caller may be told of this fault.
 *
 * @param leastMs - The shortest time that one of its trips has.
 */
export function isRightError(
  record: CallRecord,
  error: unknown,
  { kinds, leastMs }: { readonly kinds: readonly TransportErrorKind[]; readonly leastMs: number },
): boolean {
  if (!isTransportError(error)) return false;
  if (kinds.includes(error.kind)) return true;
  // Who had its whole time was told so, whatever else was wrong; and so was the breaker, which tells the next.
  if (error.kind === "timeout") {
    return record.endMs - record.startMs >= leastMs * 0.8 || error.message.includes("circuit breaker is open");
  }
  if (error.kind !== "unreachable") return false;
  // The time was over while it was still connecting; or the primary answers, and has yet to hear what was done
  // without it.
  return (
    (kinds.includes("timeout") && error.message.includes("ETIMEDOUT")) || error.message.includes("does not know it yet")
  );
}

export const describeOutcome = ({ outcome }: CallRecord): string => {
  if ("value" in outcome) return `resolved to ${JSON.stringify(outcome.value)}`;
  const { error } = outcome;
  return isTransportError(error) ? `rejected: ${error.kind}, ${error.message}` : `rejected: ${String(error)}`;
};
