import type { FaultRecord } from "../faults/fault-record.ts";

/** A call, and how long it was to take at most. */
export interface TimedCall {
  readonly process: string;
  readonly what: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly deadlineMs: number;
  readonly id?: string;
}

/** Calls that took longer than they may, but for the time that their process stood still. */
export function overdueCalls(
  calls: readonly TimedCall[],
  faults: readonly FaultRecord[],
  slackMs: number,
): readonly { readonly process: string; readonly id?: string; readonly detail: string }[] {
  return calls.flatMap(({ process, what, startMs, endMs, deadlineMs, id }) => {
    const stoodMs = faults
      .filter((fault) => fault.target === "freeze" && fault.process === process)
      .reduce((sum, fault) => sum + Math.max(0, Math.min(fault.endMs, endMs) - Math.max(fault.startMs, startMs)), 0);
    const tookMs = endMs - startMs - stoodMs;
    if (tookMs <= deadlineMs + slackMs) return [];
    return [{ process, ...(id !== undefined && { id }), detail: `${what} took ${tookMs} ms of ${deadlineMs}` }];
  });
}
