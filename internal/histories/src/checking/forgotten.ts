import type { FaultRecord } from "./records.ts";
import type { Stalls } from "./stalls.ts";

/** A write that the server acknowledged. */
interface AckedWrite {
  readonly startMs: number;
  readonly endMs: number;
}

/** After the server has forgotten, a process needs so long to notice and to write again. */
const repairMs = 10_000;
/** Times in records are rounded, and a fault begins before its record says so. */
const marginMs = 50;

/**
 * Whether the server may have forgotten a write whose process was killed before it could write again: then none knew
 * of it.
 */
export function diedWithServer(
  { startMs, endMs }: AckedWrite,
  killedMs: number | undefined,
  faults: readonly FaultRecord[],
  stalls: Stalls,
): boolean {
  if (killedMs === undefined) return false;
  return faults.some(
    (fault) =>
      fault.forgetsFromMs !== undefined &&
      endMs >= fault.forgetsFromMs - marginMs &&
      startMs <= fault.endMs &&
      killedMs <= fault.endMs + repairMs + stalls.betweenMs(fault.endMs, killedMs),
  );
}
