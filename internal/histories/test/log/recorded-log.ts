import type { FaultRecord } from "../../src/checking/records.ts";
import type { Finding } from "../../src/checking/rules.ts";
import { checkHistory } from "../../src/log/check-history.ts";
import type {
  AppendRecord,
  CommitRecord,
  EntryRecord,
  GapRecord,
  LogRecord,
  OpenRecord,
} from "../../src/log/record.ts";
import type { Violation, ViolationKind } from "../../src/log/violation.ts";
import { faultAt, killAt } from "../recorded-faults.ts";

/**
 * Records made by hand. Instance "o" appends event n under number n from 10,000 + 100 n to 10 ms later; instance "r"
 * is given it 20 ms later, in its process "r" and loop 0, and commits it from 30 to 40 ms later.
 */
const at = (seq: number): number => 10_000 + 100 * seq;

export const appended = (seq: number, rest: Partial<AppendRecord> = {}): AppendRecord => ({
  kind: "append",
  process: "o",
  origin: "o",
  name: `o/${seq}`,
  nth: seq,
  startMs: at(seq),
  endMs: at(seq) + 10,
  outcome: "stored",
  seq,
  stampMs: at(seq) + 5,
  ...rest,
});
/** One that waited: its number is not known to its caller. */
export const kept = (seq: number): AppendRecord => {
  const { seq: _, stampMs: __, ...rest } = appended(seq);
  return { ...rest, outcome: "pending" };
};

export const opened = (session: number, rest: Partial<OpenRecord> = {}): OpenRecord => ({
  kind: "open",
  process: "r",
  reader: "r",
  session,
  atMs: 10_000 + session,
  ...rest,
});

export const given = (seq: number, rest: Partial<EntryRecord> = {}): EntryRecord => ({
  kind: "entry",
  process: "r",
  reader: "r",
  session: 0,
  origin: "o",
  seq,
  stampMs: at(seq) + 5,
  name: `o/${seq}`,
  atMs: at(seq) + 20,
  ...rest,
});

export const committed = (seq: number, rest: Partial<CommitRecord> = {}): CommitRecord => ({
  kind: "commit",
  process: "r",
  reader: "r",
  origin: "o",
  seq,
  startMs: at(seq) + 30,
  endMs: at(seq) + 40,
  outcome: "done",
  ...rest,
});

export const gap = (fromSeq: number, toSeq: number, rest: Partial<GapRecord> = {}): GapRecord => ({
  kind: "gap",
  process: "r",
  reader: "r",
  session: 0,
  origin: "o",
  missed: toSeq - fromSeq + 1,
  fromSeq,
  toSeq,
  reason: "retention",
  atMs: at(toSeq) + 15,
  ...rest,
});

export const fault = (from: number, to: number, rest: Partial<FaultRecord> = {}): FaultRecord =>
  faultAt(at(from), at(to), rest);
export const kill = (process: string, seq: number): FaultRecord => killAt(process, at(seq));

export const appendedAll = (...seqs: readonly number[]): AppendRecord[] => seqs.map((seq) => appended(seq));
export const givenAll = (...seqs: readonly number[]): EntryRecord[] => seqs.map((seq) => given(seq));
/** Both instances follow. */
const both: readonly LogRecord[] = [opened(0), opened(0, { process: "o", reader: "o" })];

export const check = (...records: readonly LogRecord[]): Required<Finding<Violation>> =>
  checkHistory([...both, ...records], { timeoutMs: 1_000, slackMs: 500 });

/** Which promises the records break, each once for every time. */
export const brokenBy = (...records: readonly LogRecord[]): ViolationKind[] =>
  check(...records).violations.map(({ kind }) => kind);
