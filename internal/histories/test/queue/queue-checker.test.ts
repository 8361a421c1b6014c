import { describe, expect, it } from "vitest";
import type { QueueRecord } from "../../src/queue/record.ts";
import { applied, brokenBy, check, delivered, failed, fault, kill, passed, pushed, settled } from "./recorded-queue.ts";

const forgetting = { forgetsFromMs: 10_000 } as const;
/** Another process's second lease of a message. */
const second = { process: "d", lease: 50, crashes: 1 } as const;

describe("a message", () => {
  it("is well served when it is given out, applied and acked", () => {
    const { violations, counts } = check(...passed(1, 2, 3));
    expect(violations).toEqual([]);
    expect(counts).toMatchObject({ acked: 3, applied: 3, deliveries: 3, duplicates: 0 });
  });

  it("is lost when its push was acknowledged and it was never applied", () => {
    expect(brokenBy(...passed(1), pushed(2))).toEqual(["lost"]);
    expect(brokenBy(...passed(1), pushed(2), delivered(2))).toEqual(["lost"]);
    expect(brokenBy(...passed(1), pushed(2, { outcome: "pending" }))).toEqual(["lost"]);
    for (const outcome of ["none", "unknown"] as const) expect(brokenBy(pushed(2, { outcome }))).toEqual([]);
  });

  it("is lost also when its producer was killed, unless it waited in it, or the server forgot it before", () => {
    expect(brokenBy(pushed(1), kill("p", 2))).toEqual(["lost"]);
    const waiting = check(pushed(1, { outcome: "pending" }), kill("p", 2));
    expect([waiting.violations, waiting.counts.lostWaiting]).toEqual([[], 1]);
    const together = check(pushed(1), fault(2, 3, forgetting), kill("p", 4));
    expect([together.violations, together.counts.lostTogether]).toEqual([[], 1]);
    expect(brokenBy(pushed(1), fault(2, 3, forgetting))).toEqual(["lost"]);
    expect(brokenBy(pushed(1), fault(2, 3, { forgetsFromMs: 10_200 }), kill("p", 4))).toEqual(["lost"]);
    expect(brokenBy(pushed(1), fault(2, 3, forgetting), kill("p", 300))).toEqual(["lost"]);
  });

  it("is applied once, however often it is given out", () => {
    expect(brokenBy(...passed(1), applied(1, { process: "d", atMs: 10_145 }))).toEqual(["applied-twice"]);
    const recovered = delivered(1, { ...second, atMs: 12_000 });
    const { violations, counts } = check(pushed(1), delivered(1), applied(1), recovered, fault(1, 1, forgetting));
    expect([violations, counts.duplicates, counts.recovered]).toEqual([[], 1, 1]);
  });

  it("comes as it was pushed, and only if it was", () => {
    const rest = [applied(1), settled(1)];
    expect(brokenBy(pushed(1), delivered(1, { isAltered: true }), ...rest)).toEqual(["altered"]);
    expect(brokenBy(delivered(1), ...rest)).toEqual(["phantom"]);
    expect(brokenBy(delivered(1), ...rest, kill("p", 9))).toEqual([]);
    expect(brokenBy(pushed(1, { outcome: "none" }), delivered(1), ...rest)).toEqual(["phantom"]);
    expect(brokenBy(pushed(1, { outcome: "unknown" }), delivered(1), ...rest)).toEqual([]);
  });

  it("with a name of its own is there once, for all who push it", () => {
    const named = (rest: Parameters<typeof pushed>[1]) => pushed(1, { id: "named/1", isNamed: true, ...rest });
    const work = [delivered(1, { id: "named/1" }), applied(1, { id: "named/1" }), settled(1, { id: "named/1" })];
    const twin = named({ process: "q", outcome: "duplicate" });
    expect(brokenBy(named({}), twin, ...work)).toEqual([]);
    expect(brokenBy(twin)).toEqual(["false-duplicate"]);
    expect(brokenBy(named({ startMs: 19_000, endMs: 19_010 }), twin, ...work)).toEqual(["false-duplicate"]);
    expect(brokenBy(named({}), twin, ...work, delivered(1, { id: "named/1", process: "d", lease: 51 }))).toEqual([
      "delivered-twice",
    ]);
  });
});

describe("a message that is given up", () => {
  const dead = { kind: "dead", id: "p/1", reason: "failed", failures: 3, crashes: 0 } as const;
  const tries = (count: number): QueueRecord[] =>
    Array.from({ length: count }, (_, nth) => [
      delivered(1, { lease: nth, attempt: nth + 1, atMs: 10_120 + 10 * nth }),
      failed(1, { lease: nth }),
      settled(1, { lease: nth, what: "nack", startMs: 10_121 + 10 * nth, endMs: 10_122 + 10 * nth }),
    ]).flat();

  it("has failed often enough by itself", () => {
    expect(brokenBy(pushed(1), ...tries(3), dead)).toEqual([]);
    expect(brokenBy(pushed(1), ...tries(2), dead)).toEqual(["innocent-death"]);
  });

  it("has not only been with processes that died", () => {
    expect(brokenBy(pushed(1), ...tries(3), { ...dead, reason: "crashed", crashes: 20 })).toEqual(["innocent-death"]);
    expect(brokenBy(pushed(1), { ...dead, reason: "expired" })).toEqual(["innocent-death"]);
  });
});

describe("what a killed process had begun", () => {
  const begun = [pushed(1), delivered(1), kill("c", 2)];
  const again = (afterMs: number): QueueRecord[] => [
    delivered(1, { ...second, atMs: 10_200 + afterMs }),
    applied(1, { process: "d", atMs: 10_210 + afterMs }),
  ];

  it("is given out again within a lease and a half", () => {
    const { violations, times } = check(...begun, ...again(1_900));
    expect([violations, times["redelivered"]]).toEqual([[], [1_900]]);
    expect(brokenBy(...begun, ...again(2_100))).toEqual(["late-redelivery"]);
    expect(brokenBy(...begun, ...passed(40))).toEqual(["lost"]);
    const end = { kind: "call", process: "d", what: "close", startMs: 13_900, endMs: 14_000, deadlineMs: 500 } as const;
    expect(brokenBy(...begun, ...passed(40), end)).toEqual(["lost", "late-redelivery"]);
  });

  it("may take longer where something else went wrong meanwhile, or before", () => {
    expect(brokenBy(...begun, ...again(3_000), fault(10, 12))).toEqual([]);
    expect(brokenBy(...begun, ...again(3_000), fault(1, 1.5))).toEqual([]);
    expect(brokenBy(...begun, ...again(3_000), fault(30, 31))).toEqual(["late-redelivery"]);
  });

  it("is not waited for where it may have been done", () => {
    expect(brokenBy(...passed(1), kill("c", 2), ...passed(90))).toEqual([]);
    expect(brokenBy(pushed(1), delivered(1), applied(1), kill("c", 2), ...passed(90))).toEqual([]);
  });
});

describe("a lease", () => {
  const others = (atMs: number): QueueRecord => delivered(1, { ...second, atMs });

  it("ends with its ack: no process gets the message afterwards", () => {
    expect(brokenBy(...passed(1), others(10_200))).toEqual(["delivered-after-ack"]);
    expect(brokenBy(...passed(1), others(10_145))).toEqual(["late-ack"]);
  });

  it("that is lost refuses its ack", () => {
    const [push, lease, effect] = [pushed(1), delivered(1), applied(1)];
    const late = { startMs: 12_000, endMs: 12_010 };
    expect(brokenBy(push, lease, effect, others(11_500), settled(1, late))).toEqual(["late-ack"]);
    expect(brokenBy(push, lease, effect, others(11_500), settled(1, { ...late, what: "nack" }))).toEqual(["late-ack"]);
    const refused = check(push, lease, effect, others(11_500), settled(1, { ...late, outcome: "lost" }));
    expect([refused.violations, refused.counts.refused]).toEqual([[], 1]);
    expect(brokenBy(push, lease, effect, others(11_500), settled(1, { ...late, outcome: "failed" }))).toEqual([]);
  });

  it("is one process's alone", () => {
    const twin = delivered(1, { process: "d", lease: 60, atMs: 10_140 });
    expect(brokenBy(...passed(1), twin)).toEqual(["delivered-twice"]);
    const back = settled(1, { what: "release", startMs: 10_125, endMs: 10_130 });
    expect(brokenBy(pushed(1), delivered(1), back, twin, applied(1, { process: "d" }))).toEqual([]);
    // Records of one millisecond stand in any order.
    const atOnce = { ...twin, atMs: delivered(1).atMs };
    expect(brokenBy(pushed(1), atOnce, delivered(1), back, applied(1, { process: "d" }))).toEqual([]);
  });

  it("can't be told from another where the message may be there twice", () => {
    const twin = delivered(1, { process: "d", lease: 60, atMs: 10_140 });
    const repaired = { kind: "event", process: "p", name: "repaired", count: 1, atMs: 10_130 } as const;
    expect(brokenBy(...passed(1), twin, repaired)).toEqual([]);
    expect(brokenBy(...passed(1), twin, fault(0, 1, forgetting))).toEqual([]);
    expect(brokenBy(...passed(1), twin, fault(0, 1, { isRepeating: true }))).toEqual([]);
    const { violations, counts } = check(...passed(1).slice(1), pushed(1, { outcome: "pending" }), twin);
    expect([violations, counts.branched]).toEqual([[], 1]);
  });
});

describe("a priority", () => {
  /** So many of high priority are given out before one of low priority. */
  const behind = (count: number): QueueRecord[] => [
    pushed(0, { id: "p/low", priority: "low" }),
    ...Array.from(
      { length: count },
      (_, nth) =>
        [
          pushed(0, { id: `p/h${nth}`, priority: "high" }),
          delivered(0, { id: `p/h${nth}`, lease: 100 + nth, atMs: 10_020 + nth }),
          applied(0, { id: `p/h${nth}` }),
        ] as QueueRecord[],
    ).flat(),
    delivered(0, { id: "p/low", atMs: 10_020 + count }),
    applied(0, { id: "p/low", atMs: 10_030 + count }),
  ];

  it("does not starve", () => {
    expect(brokenBy(...behind(20))).toEqual([]);
    expect(brokenBy(...behind(60))).toEqual(["starved"]);
  });

  it("has not waited where it was given out before its producer was told of the push", () => {
    const early = Array.from({ length: 30 }, (_, nth): QueueRecord[] => [
      pushed(0, { id: `p/l${nth}`, priority: "low", endMs: 10_900 }),
      delivered(0, { id: `p/l${nth}`, lease: 100 + nth, atMs: 10_020 + nth }),
      applied(0, { id: `p/l${nth}`, atMs: 10_060 }),
    ]);
    expect(brokenBy(...early.flat())).toEqual([]);
  });

  it("may wait while something goes wrong", () => {
    expect(brokenBy(...behind(60), fault(0, 0.2))).toEqual([]);
  });
});

describe("a process", () => {
  it("is told in time when nothing can be done", () => {
    const slow = { endMs: 12_000 };
    expect(brokenBy(pushed(1, { ...slow, outcome: "unknown" }))).toEqual(["overdue"]);
    expect(brokenBy(...passed(1), settled(1, { ...slow, what: "extend", outcome: "failed" }))).toEqual(["overdue"]);
    const call = {
      kind: "call",
      process: "c",
      what: "close",
      startMs: 10_000,
      endMs: 13_000,
      deadlineMs: 2_000,
    } as const;
    expect(brokenBy(call)).toEqual(["overdue"]);
  });

  it("has as much longer as it stood still", () => {
    const frozen = fault(2, 12, { target: "freeze", process: "p" });
    expect(brokenBy(pushed(1, { endMs: 12_000, outcome: "unknown" }), frozen)).toEqual([]);
    expect(brokenBy(pushed(1, { endMs: 12_000, outcome: "unknown" }), { ...frozen, process: "c" })).toEqual([
      "overdue",
    ]);
  });

  it("leaves nothing behind, and fails nowhere unheard", () => {
    expect(brokenBy({ kind: "left", depth: 1, inFlight: 0, delayed: 0 })).toEqual(["unfinished"]);
    const drain = { kind: "drain", process: "p", pending: 2, atMs: 20_000 } as const;
    expect(brokenBy(drain)).toEqual(["unfinished"]);
    expect(brokenBy(drain, kill("p", 200))).toEqual([]);
    expect(brokenBy({ kind: "trouble", process: "p", what: "unhandled rejection" })).toEqual(["trouble"]);
  });
});
