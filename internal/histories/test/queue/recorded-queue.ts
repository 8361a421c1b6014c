import type { FaultRecord } from "../../src/checking/records.ts";
import type { Finding } from "../../src/checking/rules.ts";
import { checkHistory } from "../../src/queue/check-history.ts";
import type {
  DeliveryRecord,
  EffectRecord,
  FailureRecord,
  PushRecord,
  QueueRecord,
  SettleRecord,
} from "../../src/queue/record.ts";
import type { Violation, ViolationKind } from "../../src/queue/violation.ts";
import { faultAt, killAt } from "../recorded-faults.ts";

/**
 * Records made by hand. Producer "p" pushes message n from 10,000 + 100 n to 10 ms later; 20 ms later it is consumer
 * "c"'s, as its lease n; 30 ms later it is applied, and acked from 40 to 50 ms later.
 */
const baseMs = 10_000;
const at = (number: number): number => baseMs + 100 * number;
const idOf = (number: number): string => `p/${number}`;

export const pushed = (number: number, rest: Partial<PushRecord> = {}): PushRecord => ({
  kind: "push",
  process: "p",
  id: idOf(number),
  priority: "normal",
  startMs: at(number),
  endMs: at(number) + 10,
  outcome: "stored",
  ...rest,
});

export const delivered = (number: number, rest: Partial<DeliveryRecord> = {}): DeliveryRecord => ({
  kind: "delivery",
  process: "c",
  lease: number,
  id: idOf(number),
  priority: "normal",
  attempt: 1,
  crashes: 0,
  atMs: at(number) + 20,
  ...rest,
});

export const applied = (number: number, rest: Partial<EffectRecord> = {}): EffectRecord => ({
  kind: "effect",
  id: idOf(number),
  process: "c",
  atMs: at(number) + 30,
  ...rest,
});

export const settled = (number: number, rest: Partial<SettleRecord> = {}): SettleRecord => ({
  kind: "settle",
  process: "c",
  lease: number,
  id: idOf(number),
  what: "ack",
  startMs: at(number) + 40,
  endMs: at(number) + 50,
  outcome: "done",
  ...rest,
});

export const failed = (number: number, rest: Partial<FailureRecord> = {}): FailureRecord => ({
  kind: "failure",
  process: "c",
  lease: number,
  id: idOf(number),
  atMs: at(number) + 25,
  ...rest,
});

export const fault = (from: number, to: number, rest: Partial<FaultRecord> = {}): FaultRecord =>
  faultAt(at(from), at(to), rest);
export const kill = (process: string, number: number): FaultRecord => killAt(process, at(number));

/** Messages that are pushed, given out, applied and acked as they should be. */
export const passed = (...numbers: readonly number[]): QueueRecord[] =>
  numbers.flatMap((number) => [pushed(number), delivered(number), applied(number), settled(number)]);

export const check = (...records: readonly QueueRecord[]): Required<Finding<Violation>> =>
  checkHistory(records, { leaseMs: 1_000, timeoutMs: 1_000, slackMs: 500, maxAttempts: 3, aheadMessages: 5 });

/** Which promises the records break, each once for every time. */
export const brokenBy = (...records: readonly QueueRecord[]): ViolationKind[] =>
  check(...records).violations.map(({ kind }) => kind);
