import { describe, expect, it } from "vitest";
import { checkHistory } from "../../src/pubsub/check-history.ts";
import {
  appendedAll,
  at,
  brokenBy,
  delivered,
  deliveredAll,
  fault,
  gap,
  opened,
  published,
  publishedAll,
  readAll,
} from "./recorded.ts";

const volatile = opened("volatile");
const replay = opened("replay");
const loses = { forgets: "everything" } as const;

describe("a subscriber without a history", () => {
  it("is well served when it gets everything, or is told what is missing", () => {
    expect(brokenBy(...publishedAll(1, 2, 3), volatile, ...deliveredAll(1, 2, 3))).toEqual([]);
    expect(brokenBy(...publishedAll(1, 2, 3, 4), volatile, delivered(1), gap(1, 3), delivered(4))).toEqual([]);
  });

  it("need not get what was published before it listened or after its last, or was never acknowledged", () => {
    const early = [...publishedAll(1, 2, 3), opened("volatile", { atMs: 150 }), ...deliveredAll(2, 3)];
    expect(brokenBy(...early)).toEqual([]);
    expect(brokenBy(...publishedAll(1, 2, 3), volatile, ...deliveredAll(1, 2))).toEqual([]);
    const doubtful = [
      published(1),
      published(2, { outcome: "unknown" }),
      published(3, { outcome: "none" }),
      published(4),
    ];
    expect(brokenBy(...doubtful, volatile, ...deliveredAll(1, 4))).toEqual([]);
    expect(brokenBy(...doubtful, volatile, ...deliveredAll(1, 2, 4))).toEqual([]);
  });

  it("has lost what is missing without a gap, or outside of its times", () => {
    expect(brokenBy(...publishedAll(1, 2, 3), volatile, ...deliveredAll(1, 3))).toEqual(["lost"]);
    const aside = gap(1, 1, { toMs: 150, atMs: 160 });
    expect(brokenBy(...publishedAll(1, 2, 3), volatile, delivered(1), aside, delivered(3))).toEqual(["lost"]);
  });

  it("has lost what it never heard when it gives up after a long silence, not when it is killed", () => {
    const end = { kind: "close", subscriber: "s", atMs: 9_000 } as const;
    expect(brokenBy(...publishedAll(1, 2), volatile, delivered(1), end)).toEqual(["lost"]);
    expect(brokenBy(...publishedAll(1, 2), volatile, delivered(1), gap(1, 80), end)).toEqual([]);
    expect(brokenBy(...publishedAll(1, 2), volatile, delivered(1), { ...end, isKilled: true })).toEqual([]);
  });

  it("has not lost what no gap could be told of: it gives up during a fault, or at once behind it", () => {
    const end = { kind: "close", subscriber: "s", atMs: 9_000 } as const;
    const during = (from: number, to: number) =>
      brokenBy(...publishedAll(1, 2), volatile, delivered(1), fault(from, to), end);
    expect(during(1.5, 89)).toEqual([]);
    expect(during(1.5, 10)).toEqual(["lost", "deaf"]);
    expect(during(80, 89)).toEqual(["lost"]);
  });

  it("is told too late when a message from behind the gap came before it", () => {
    expect(brokenBy(...publishedAll(1, 2, 3, 4), volatile, ...deliveredAll(1, 3), gap(1, 2), delivered(4))).toEqual([
      "late-gap",
    ]);
  });

  it("is told the number that a full buffer let go", () => {
    const slow = (missed: number) => gap(4, 5, { reason: "slow", missed });
    expect(brokenBy(...publishedAll(1, 2, 3, 4), volatile, delivered(1), slow(2), delivered(4))).toEqual([]);
    expect(brokenBy(...publishedAll(1, 2, 3, 4), volatile, delivered(1), slow(1), delivered(4))).toEqual(["lost"]);
    expect(brokenBy(...publishedAll(1, 2, 3, 4), volatile, delivered(1), slow(3), delivered(4))).toEqual([
      "wrong-count",
    ]);
    // Messages that were let go while the call that opened the subscription was under way count too.
    const slowly = (askedMs: number) => opened("volatile", { askedMs, atMs: 250 });
    const late = (askedMs: number) => brokenBy(...publishedAll(1, 2, 3, 4), slowly(askedMs), slow(3), delivered(4));
    expect(late(50)).toEqual([]);
    expect(late(250)).toEqual(["wrong-count"]);
  });

  it("gets nothing twice, and each publisher's messages in order", () => {
    expect(brokenBy(...publishedAll(1, 2), volatile, ...deliveredAll(1, 2, 2))).toEqual(["duplicated"]);
    expect(brokenBy(...publishedAll(1, 2, 3), volatile, ...deliveredAll(1, 3, 2))).toEqual(["reordered"]);
    const late = published(2, { outcome: "unknown" });
    expect(brokenBy(published(1), late, published(3), volatile, ...deliveredAll(1, 3, 2))).toEqual([]);
    expect(brokenBy(published(1), late, published(3), volatile, ...deliveredAll(1, 3, 2, 2))).toEqual(["duplicated"]);
  });

  it("may hear what was published while the primary was away a second time, from the primary", () => {
    const doubtful = published(1, { outcome: "degraded" });
    const [here, there] = [delivered(1, { degraded: true }), delivered(1)];
    expect(brokenBy(doubtful, volatile, here, there)).toEqual([]);
    expect(brokenBy(doubtful, volatile, here, here)).toEqual(["duplicated"]);
    expect(brokenBy(doubtful, replay, here, delivered(1, at(0)))).toEqual(["duplicated"]);
  });

  it("gets what was published, unaltered, on its channel, and nothing else", () => {
    expect(brokenBy(published(1), volatile, ...deliveredAll(1, 2))).toEqual(["phantom"]);
    expect(brokenBy(published(1, { outcome: "none" }), volatile, delivered(1))).toEqual(["phantom"]);
    expect(brokenBy(published(1, { channel: "d" }), volatile, delivered(1))).toEqual(["wrong-channel"]);
    expect(brokenBy(published(1, { channel: "d" }), volatile, delivered(1, { channel: "d" }))).toEqual([
      "wrong-channel",
    ]);
    expect(brokenBy(published(1), volatile, delivered(1, { isAltered: true }))).toEqual(["altered"]);
  });

  it("is told gaps that make sense", () => {
    expect(brokenBy(volatile, gap(3, 2))).toEqual(["malformed-gap"]);
    expect(brokenBy(volatile, gap(1, 2, { atMs: 120 }))).toEqual(["malformed-gap"]);
    expect(brokenBy(replay, gap(1, 2, { missed: 0 }))).toEqual(["malformed-gap"]);
    expect(brokenBy(replay, gap(1, 2, { fromMs: Number.NaN, missed: 1 }))).toEqual(["malformed-gap"]);
  });
});

describe("a subscriber of a history", () => {
  it("is well served when it gets everything, or the exact number of what is gone", () => {
    expect(brokenBy(...appendedAll(0, 1, 2), replay, ...readAll(0, 1, 2))).toEqual([]);
    const trimmed = gap(1, 2, { missed: 2, reason: "trimmed" });
    expect(brokenBy(...appendedAll(0, 1, 2, 3), replay, ...readAll(0), trimmed, ...readAll(3))).toEqual([]);
  });

  it("has lost what is left out in silence, also behind the place where it went on", () => {
    expect(brokenBy(...appendedAll(0, 1, 2), replay, ...readAll(0, 2))).toEqual(["lost", "lost"]);
    const resumed = opened("replay", { atMs: 150, after: at(0).position });
    expect(brokenBy(...appendedAll(0, 1, 2), resumed, ...readAll(1, 2))).toEqual([]);
    expect(brokenBy(...appendedAll(0, 1, 2), resumed, ...readAll(2))).toEqual(["lost", "lost"]);
    expect(brokenBy(...appendedAll(1, 2, 3), replay, ...readAll(2, 3))).toEqual(["lost"]);
  });

  it("is told another number than is gone", () => {
    const trimmed = (missed: number) => gap(1, 2, { missed, reason: "trimmed" });
    const run = (missed: number) =>
      brokenBy(...appendedAll(0, 1, 2, 3), replay, ...readAll(0), trimmed(missed), ...readAll(3));
    expect(run(3)).toEqual(["wrong-count"]);
    expect(run(1)).toEqual(["lost", "lost"]);
  });

  it("gets nothing twice or out of order, and everybody the same", () => {
    expect(brokenBy(...appendedAll(0, 1), replay, ...readAll(0, 1, 1))).toEqual(["reordered", "duplicated"]);
    expect(brokenBy(...appendedAll(0, 1, 2), replay, ...readAll(1, 0, 2))).toContain("reordered");
    expect(brokenBy(...appendedAll(0), replay, delivered(0, at(1)))).toEqual(["wrong-position"]);
    expect(brokenBy(...appendedAll(0), published(1, at(0)), replay, ...readAll(0))).toContain("wrong-position");
  });

  it("is told a gap without a count only when the server has lost the history", () => {
    const lost = gap(1, 2, { reason: "lost" });
    const next = [published(3, at(0, 2_000)), replay, ...readAll(0), lost, delivered(3, at(0, 2_000))];
    expect(brokenBy(...appendedAll(0, 1, 2), ...next, fault(1, 3, loses))).toEqual([]);
    expect(brokenBy(...appendedAll(0, 1, 2), ...next, fault(1, 3))).toEqual(["uncounted-gap"]);
    const [read, , ...behind] = next.slice(2);
    const silent = [...appendedAll(0, 1, 2), published(3, at(0, 2_000)), replay, read, ...behind].flatMap(
      (one) => one ?? [],
    );
    expect(brokenBy(...silent, fault(1, 3, loses))).toEqual(["lost", "lost"]);
  });

  it("is told that there may have been others when its stream broke before the first that it was handed", () => {
    const broken = gap(0, 1);
    expect(brokenBy(published(2, at(0)), replay, broken, delivered(2, at(0)))).toEqual([]);
    const first = published(0, at(0, 500));
    const records = [first, published(2, at(0)), opened("replay", { atMs: -1 })];
    expect(brokenBy(...records, broken, delivered(2, at(0)), fault(0, 1, loses))).toEqual([]);
    expect(brokenBy(...records, delivered(2, at(0)), fault(0, 1, loses))).toEqual(["lost"]);
    const during = opened("replay", { askedMs: 5, atMs: 50 });
    expect(brokenBy(first, published(2, at(1, 500)), during, broken, delivered(2, at(1, 500)))).not.toContain(
      "uncounted-gap",
    );
    const late = opened("replay", { atMs: 50 });
    expect(brokenBy(first, published(2, at(1, 500)), late, broken, delivered(2, at(1, 500)))).toContain(
      "uncounted-gap",
    );
  });

  it("is told the times of what is gone", () => {
    const late = gap(2, 2, { reason: "lost", fromMs: 220 });
    const records = [...appendedAll(0, 1, 2), published(3, at(0, 2_000)), replay, ...readAll(0), late];
    expect(brokenBy(...records, delivered(3, at(0, 2_000)), fault(1, 3, loses))).toEqual(["gap-times"]);
  });

  it("can't know what the server has acknowledged, lost, and numbered anew", () => {
    const records = [
      ...appendedAll(0, 1),
      published(2, at(1, 1_000, "anew")),
      replay,
      ...readAll(0),
      delivered(2, at(1, 1_000, "anew")),
    ];
    const tail = { name: "restart", forgets: "tail" } as const;
    const { violations, counts } = checkHistory([...records, fault(1, 2, tail)], {
      publishMs: 1_000,
      livenessMs: 5_000,
    });
    expect([violations, counts.forgotten]).toEqual([[], 1]);
    expect(brokenBy(...records)).toEqual(["lost", "wrong-position", "wrong-position"]);
  });

  it("knows the sum when it reads in a loop", () => {
    const loop = opened("replay", { through: "loop", after: at(0).position });
    const slow = gap(1, 1, { reason: "slow", missed: 2 });
    const close = { kind: "close", subscriber: "s", atMs: 9_000 } as const;
    const all = appendedAll(0, 1, 2, 3, 4);
    expect(brokenBy(...all, loop, slow, ...readAll(1, 4), close)).toEqual([]);
    expect(brokenBy(...all, loop, slow, ...readAll(4), close)).toEqual(["lost"]);
    expect(brokenBy(...all, loop, slow, ...readAll(1, 3, 4), close)).toEqual(["wrong-count"]);
    expect(brokenBy(...all, loop, slow, ...readAll(3, 2, 4), close)).toContain("reordered");
  });
});

describe("a process", () => {
  it("hears again when all is well again, and is told in time when nothing can be done", () => {
    const silent = [...publishedAll(1, 2, 90), fault(2, 3), volatile, delivered(1)];
    expect(brokenBy(...silent)).toEqual(["deaf"]);
    expect(brokenBy(...silent, gap(1, 90), delivered(90))).toEqual(["deaf"]);
    expect(brokenBy(...publishedAll(1, 3), fault(2, 3), volatile, ...deliveredAll(1, 3))).toEqual([]);
    expect(brokenBy(published(1, { endMs: 4_000, outcome: "unknown" }), volatile)).toEqual(["overdue"]);
    expect(brokenBy({ kind: "trouble", process: "1", what: "unhandled rejection" })).toEqual(["trouble"]);
  });
});
