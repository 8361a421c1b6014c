import type { FaultRecord } from "../../faults/fault-record.ts";

/** Whether nothing went wrong in a time. @param aside - A fault that does not count. */
export function isCalm(faults: readonly FaultRecord[], fromMs: number, toMs: number, aside?: FaultRecord): boolean {
  return !faults.some((fault) => fault !== aside && fault.startMs <= toMs && fault.endMs >= fromMs);
}
