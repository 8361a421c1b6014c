import { describe, expect, it } from "vitest";
import { check } from "../../src/limiter/checker.ts";
import type { CallRecord, LimitRecord, RefundRecord, ResetRecord } from "../../src/limiter/record.ts";

// One subject, 3 per 10 s. Records are told in milliseconds since the beginning; each call takes 2 ms, the server's
// time lies in its middle.

const limit = 3;
const windowMs = 10_000;
const us = (ms: number): number => 1_795_000_000_000_000 + ms * 1_000;
let made = 0;

const told = (atMs: number, process: number) => ({ process, subject: 0, startUs: us(atMs - 1), endUs: us(atMs + 1) });

function call(outcome: CallRecord["outcome"], atMs: number, more: Partial<CallRecord> = {}): CallRecord {
  const times = outcome === "allowed" ? { acceptedUs: us(atMs) } : {};
  const source = "redis";
  return {
    kind: "call",
    ticket: `0.${made++}`,
    cost: 1,
    outcome,
    source,
    decidedUs: us(atMs),
    ...told(atMs, 0),
    ...times,
    ...more,
  };
}
const allowed = (atMs: number, more?: Partial<CallRecord>): CallRecord => call("allowed", atMs, more);
const refused = (atMs: number, more?: Partial<CallRecord>): CallRecord => call("refused", atMs, more);
const refund = ({ ticket }: CallRecord, atMs: number, more: Partial<RefundRecord> = {}): RefundRecord => ({
  kind: "refund",
  ticket,
  isGiven: true,
  ...told(atMs, 0),
  ...more,
});
const reset = (atMs: number): ResetRecord => ({ kind: "reset", ...told(atMs, 0) });

const allObjections = (records: readonly LimitRecord[], roundedUs = 0): (readonly [string, number])[] =>
  check([{ id: "user", limit, windowMs }], records, {
    roundedUs: () => roundedUs,
    denyCacheUs: 5_000_000,
  }).violations.map(({ kind, amount }) => [kind, amount] as const);

/** Those by the times that the limiter tells. */
const objections = (records: readonly LimitRecord[], roundedUs = 0): (readonly [string, number])[] =>
  allObjections(records, roundedUs).filter(([kind]) => kind !== "certainly-over-limit");

const full = (): CallRecord[] => [allowed(1_000), allowed(2_000), allowed(3_000)];

describe("the checker of decisions", () => {
  it("objects to a window above the limit, by as much as it is above", () => {
    expect(objections([...full(), allowed(4_000, { cost: 2 })])).toEqual([["over-limit", 2]]);
    expect(objections([...full(), allowed(10_999)])).toEqual([["over-limit", 1]]);
    expect(objections([...full(), allowed(11_000)])).toEqual([]);
  });

  it("knows that what was given back does not count, from the moment at which it may have been", () => {
    const calls = full();
    const [first] = calls as [CallRecord];
    expect(objections([...calls, refund(first, 3_999), allowed(4_000)])).toEqual([]);
    expect(objections([...calls, refund(first, 4_001), allowed(4_000)])).toEqual([]);
    expect(objections([...calls, refund(first, 4_003), allowed(4_000)])).toEqual([["over-limit", 1]]);
    expect(objections([...calls, refund(first, 3_999), allowed(4_000), allowed(4_100)])).toEqual([["over-limit", 1]]);
  });

  it("does not take a refund for one that gave back nothing", () => {
    const calls = full();
    const [first] = calls as [CallRecord];
    const twice = [refund(first, 3_500), refund(first, 3_600, { isGiven: false })];
    expect(objections([...calls, ...twice, allowed(4_000), allowed(4_100)])).toEqual([["over-limit", 1]]);
  });

  it("knows that a reset forgets what came before it, and nothing after", () => {
    expect(objections([...full(), reset(3_500), allowed(4_000)])).toEqual([]);
    expect(objections([...full(), allowed(4_000), reset(4_500)])).toEqual([["over-limit", 1]]);
    expect(objections([reset(500), ...full(), allowed(4_000)])).toEqual([["over-limit", 1]]);
    const byFastClock = allowed(3_500, { acceptedUs: us(3_530) });
    const [, ...two] = full();
    expect(objections([...two, byFastClock, reset(3_510), allowed(3_520)])).toEqual([["wrong-time", 29_000]]);
    expect(objections([...two, byFastClock, allowed(3_520)])).toContainEqual(["over-limit", 1]);
  });

  it("objects to a refusal although there was room, unless something that was under way explains it", () => {
    const [first, second, third] = full() as [CallRecord, CallRecord, CallRecord];
    expect(objections([first, second, third, refused(4_000)])).toEqual([]);
    expect(objections([first, second, refused(4_000)])).toEqual([["false-refusal", 1]]);
    expect(objections([first, second, refused(4_000, { cost: 2 })])).toEqual([]);
    expect(objections([first, second, third, refused(11_000)])).toEqual([["false-refusal", 1]]);
    expect(objections([first, second, third, refund(first, 3_999), refused(4_000)])).toEqual([]);
    expect(objections([first, second, third, refund(first, 3_900), refused(4_000)])).toEqual([["false-refusal", 1]]);
    expect(objections([first, second, third, reset(3_900), refused(4_000)])).toEqual([["false-refusal", 3]]);
  });

  it("lets a call that failed explain a refusal, but never excuse or cause too much", () => {
    const failed = call("failed", 3_500);
    const { endUs: _, decidedUs: __, ...lost } = failed;
    expect(objections([allowed(1_000), allowed(2_000), lost, refused(4_000)])).toEqual([]);
    expect(objections([...full(), lost])).toEqual([]);
    expect(objections([...full(), lost, allowed(4_000)])).toEqual([["over-limit", 1]]);
  });

  it("counts a refused call that was charged as what it does to others", () => {
    const [first, second] = full() as [CallRecord, CallRecord];
    const charged = refused(3_000, { cost: 2 });
    expect(objections([first, second, charged, refused(4_000)])).toEqual([["false-refusal", 1]]);
  });

  it("tells a denial that was remembered for a moment from one that was wrong", () => {
    const calls = full();
    const [first] = calls as [CallRecord];
    const remembered = (atMs: number) => refused(atMs, { source: "deny-cache" });
    const elsewhere = { process: 1 };
    expect(objections([...calls, refund(first, 3_500, elsewhere), remembered(4_000)])).toEqual([["late-denial", 1]]);
    expect(objections([...calls, refund(first, 3_500, elsewhere), remembered(9_000)])).toEqual([["false-refusal", 1]]);
    expect(objections([...calls, refund(first, 3_500), remembered(4_000)])).toEqual([["false-refusal", 1]]);
    expect(objections([...calls, remembered(11_500)])).toEqual([["false-refusal", 1]]);
  });

  it("objects to a retry-after that is too short or too long", () => {
    expect(objections([...full(), refused(4_000, { retryUs: us(11_000) })])).toEqual([]);
    expect(objections([...full(), refused(4_000, { retryUs: us(10_974) })])).toEqual([["retry-too-early", 1]]);
    expect(objections([...full(), refused(4_000, { cost: 2, retryUs: us(12_000) })])).toEqual([]);
    expect(objections([...full(), refused(4_000, { retryUs: us(11_026) })])).toEqual([["retry-too-late", 26_000]]);
  });

  it("objects to a receipt that gives back twice, and to one that is good and gives back nothing", () => {
    const call = allowed(1_000);
    expect(objections([call, refund(call, 2_000), refund(call, 3_000)])).toEqual([["refunded-twice", 2]]);
    expect(objections([call, refund(call, 2_000, { isGiven: false })])).toEqual([["refund-lost", 1]]);
    expect(objections([call, refund(call, 2_000), refund(call, 3_000, { isGiven: false })])).toEqual([]);
    expect(objections([call, refund(call, 12_000, { isGiven: false })])).toEqual([]);
    expect(objections([call, reset(1_500), refund(call, 2_000, { isGiven: false })])).toEqual([]);
  });

  it("objects to a receipt whose time lies outside of the call", () => {
    expect(objections([allowed(1_000, { acceptedUs: us(1_004) })])).toEqual([["wrong-time", 3_000]]);
    expect(objections([allowed(1_000, { acceptedUs: us(1_004) })], 5_000)).toEqual([]);
  });

  it("objects to calls that began and ended within one window, whatever times their receipts claim", () => {
    const certain = (records: readonly LimitRecord[]): number[] =>
      allObjections(records).flatMap(([kind, amount]) => (kind === "certainly-over-limit" ? [amount] : []));
    const claimed = [1_000, 2_000, 3_000, 4_000].map((ms, at) => allowed(ms, { acceptedUs: us(at * 10_000) }));
    expect(objections(claimed).map(([kind]) => kind)).not.toContain("over-limit");
    expect(certain(claimed)).toEqual([1]);
    // A call that took long may have been accepted before the window, or after it.
    expect(certain([...full(), allowed(10_997)])).toEqual([1]);
    expect(certain([...full(), allowed(10_998)])).toEqual([]);
    expect(certain([...full(), allowed(4_000, { endUs: us(12_000) })])).toEqual([]);
    const [first] = full() as [CallRecord];
    expect(certain([...full().slice(1), first, refund(first, 3_500), allowed(4_000)])).toEqual([]);
    expect(certain([...full(), reset(3_500), allowed(4_000)])).toEqual([]);
  });

  it("takes no side where a limiter tells no times, and where the times are the same", () => {
    const untimed = (atMs: number): CallRecord => {
      const { acceptedUs: _, decidedUs: __, ...rest } = allowed(atMs);
      return rest;
    };
    expect(objections([untimed(1_000), untimed(1_000), untimed(1_000), untimed(10_999)])).toEqual([]);
    expect(objections([untimed(1_000), untimed(1_000), untimed(1_000), untimed(10_997)])).toEqual([["over-limit", 1]]);

    const [first, second, third, fourth] = [1, 2, 3, 9].map((ms) => allowed(ms, { acceptedUs: us(10) })) as [
      CallRecord,
      CallRecord,
      CallRecord,
      CallRecord,
    ];
    expect(objections([first, second, third, refund(first, 6), fourth], 10_000)).toEqual([]);
    expect(objections([first, second, third, refund(first, 20), fourth], 10_000)).toContainEqual(["over-limit", 1]);
  });
});
