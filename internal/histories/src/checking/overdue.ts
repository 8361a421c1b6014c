import type { CallRecord, FaultRecord } from "./records.ts";
import type { Stalls } from "./stalls.ts";

type TimedCall = Omit<CallRecord, "kind">;

/**
 * Finds calls that took longer than they may. A deadline is kept by a timer of the calling process, so the time in
 * which that process did not run does not count, whether it was frozen or the machine gave it no processor.
 */
export function overdueCalls<Call extends TimedCall>(
  calls: readonly Call[],
  faults: readonly FaultRecord[],
  stalls: Stalls,
  slackMs: number,
): { readonly call: Call; readonly detail: string }[] {
  return calls.flatMap((call) => {
    const { process, what, startMs, endMs, deadlineMs } = call;
    const frozenMs = faults
      .filter((fault) => fault.target === "freeze" && fault.process === process)
      .reduce((sum, fault) => sum + Math.max(0, Math.min(fault.endMs, endMs) - Math.max(fault.startMs, startMs)), 0);
    const stoodMs = Math.max(frozenMs, stalls.betweenMs(startMs, endMs, process));
    const tookMs = endMs - startMs - stoodMs;
    return tookMs <= deadlineMs + slackMs ? [] : [{ call, detail: `${what} took ${tookMs} ms of ${deadlineMs}` }];
  });
}
