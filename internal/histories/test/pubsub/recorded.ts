import type { FaultRecord } from "../../src/checking/records.ts";
import { checkHistory } from "../../src/pubsub/check-history.ts";
import type {
  DeliveryRecord,
  GapRecord,
  OpenRecord,
  Place,
  PublishRecord,
  PubSubRecord,
} from "../../src/pubsub/record.ts";
import type { ViolationKind } from "../../src/pubsub/violation.ts";
import { faultAt } from "../recorded-faults.ts";

/** Records made by hand. Message n is published from 100 n to 100 n + 10 and handed out at 100 n + 20, all by "p". */
const epoch = 1_000;

export const opened = (mode: "volatile" | "replay", rest: Partial<OpenRecord> = {}): OpenRecord => ({
  kind: "open",
  subscriber: "s",
  mode,
  channels: ["c"],
  through: "handler",
  askedMs: rest.atMs ?? 0,
  atMs: 0,
  ...rest,
});

export const published = (number: number, rest: Partial<PublishRecord> = {}): PublishRecord => ({
  kind: "publish",
  publisher: "p",
  number,
  channel: "c",
  startMs: 100 * number,
  endMs: 100 * number + 10,
  outcome: "acked",
  ...rest,
});

export const delivered = (number: number, rest: Partial<DeliveryRecord> = {}): DeliveryRecord => ({
  kind: "delivery",
  subscriber: "s",
  publisher: "p",
  number,
  channel: "c",
  atMs: 100 * number + 20,
  ...rest,
});

/** Of the time of messages `from` to `to`. */
export const gap = (from: number, to: number, rest: Partial<GapRecord> = {}): GapRecord => ({
  kind: "gap",
  subscriber: "s",
  fromMs: 100 * from,
  toMs: 100 * to + 50,
  atMs: 100 * to + 60,
  reason: "interrupted",
  ...rest,
});

export const fault = (from: number, to: number, rest: Partial<FaultRecord> = {}): FaultRecord =>
  faultAt(100 * from, 100 * to, rest);

export const at = (seq: number, of = epoch, tag = `t${of}-${seq}`): { position: Place } => ({
  position: { epoch: of, seq, tag },
});

/** As many as there are numbers, published with and without places. */
export const publishedAll = (...numbers: readonly number[]): PublishRecord[] =>
  numbers.map((number) => published(number));
export const appendedAll = (...numbers: readonly number[]): PublishRecord[] =>
  numbers.map((number) => published(number, at(number)));
export const deliveredAll = (...numbers: readonly number[]): DeliveryRecord[] =>
  numbers.map((number) => delivered(number));
export const readAll = (...numbers: readonly number[]): DeliveryRecord[] =>
  numbers.map((number) => delivered(number, at(number)));

/** Which promises the records break, each once for every time. */
export const brokenBy = (...records: readonly PubSubRecord[]): ViolationKind[] =>
  checkHistory(records, { publishMs: 1_000, livenessMs: 5_000 }).violations.map(({ kind }) => kind);
