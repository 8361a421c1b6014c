export { check, type Verdict } from "./checker.ts";
export { type CountingContender, countingContenders } from "./clients/algorithms.ts";
export type { Contender, Subject } from "./contender.ts";
export { machineClockOffsetUs, machineTimeUs } from "./machine-clock.ts";
export type { CallRecord } from "./record.ts";
export { inexactUs } from "./run.ts";
