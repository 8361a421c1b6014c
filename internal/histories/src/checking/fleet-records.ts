import {
  type CallRecord,
  type CommonRecord,
  type DrainRecord,
  type EventRecord,
  type FaultRecord,
  killTimes,
  recordsOf,
  type TroubleRecord,
} from "./records.ts";
import { readStalls, type Stalls } from "./stalls.ts";

/** What every fleet records that works while things go wrong, by its kind. */
export interface FleetRecords {
  readonly calls: readonly CallRecord[];
  readonly drains: readonly DrainRecord[];
  readonly events: readonly EventRecord[];
  readonly faults: readonly FaultRecord[];
  readonly troubles: readonly TroubleRecord[];
  readonly stalls: Stalls;
  /** When a process was killed. */
  killedMs(process: string): number | undefined;
}

type FleetRecord = CallRecord | CommonRecord | DrainRecord | EventRecord;

/** @param records - May hold other records too. */
export function readFleetRecords(records: readonly (FleetRecord | { readonly kind: string })[]): FleetRecords {
  const of = recordsOf(records as readonly FleetRecord[]);
  const faults = of("fault");
  const kills = killTimes(faults);
  return {
    calls: of("call"),
    drains: of("drain"),
    events: of("event"),
    faults,
    troubles: of("trouble"),
    stalls: readStalls(of("stall")),
    killedMs: (process) => kills.get(process),
  };
}
