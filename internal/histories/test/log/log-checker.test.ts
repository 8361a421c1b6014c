import { describe, expect, it } from "vitest";
import {
  appended,
  appendedAll,
  brokenBy,
  check,
  committed,
  fault,
  gap,
  given,
  givenAll,
  kept,
  kill,
  opened,
} from "./recorded-log.ts";

const forgetting = { forgetsFromMs: 10_000 } as const;

describe("an event", () => {
  it("is well served when every other instance is given it, in order", () => {
    const { violations, counts } = check(...appendedAll(1, 2, 3), ...givenAll(1, 2, 3));
    expect(violations).toEqual([]);
    expect(counts).toMatchObject({ acked: 3, given: 3, again: 0, gaps: 0 });
  });

  it("is lost when it was acknowledged and an instance was never given it", () => {
    expect(brokenBy(...appendedAll(1, 2), ...givenAll(1))).toEqual(["lost"]);
    expect(brokenBy(appended(1), kept(2), ...givenAll(1))).toEqual(["lost"]);
    expect(brokenBy(...appendedAll(1, 2), ...givenAll(1), opened(0, { process: "q", reader: "q" }))).toEqual([
      "lost",
      "lost",
    ]);
    const { seq: _, stampMs: __, ...failed } = appended(2);
    expect(brokenBy(appended(1), { ...failed, outcome: "failed" }, ...givenAll(1))).toEqual([]);
  });

  it("is lost with its process where it waited in it, or the server forgot it before", () => {
    const waiting = check(appended(1), kept(2), ...givenAll(1), kill("o", 3));
    expect([waiting.violations, waiting.counts.lostWaiting]).toEqual([[], 1]);
    const together = check(...appendedAll(1, 2), ...givenAll(1), kill("o", 4), fault(2, 3, forgetting));
    expect([together.violations, together.counts.lostTogether]).toEqual([[], 1]);
    expect(brokenBy(...appendedAll(1, 2), ...givenAll(1), kill("o", 4))).toEqual(["lost"]);
    expect(brokenBy(...appendedAll(1, 2), ...givenAll(1), fault(2, 3, forgetting))).toEqual(["lost"]);
  });

  it("has one number, which is no other's, and a time that is not before the last one's", () => {
    expect(brokenBy(...appendedAll(1, 2), given(1), given(2, { name: "o/1" }), given(3, { name: "o/2" }))).toContain(
      "wrong-number",
    );
    expect(brokenBy(...appendedAll(1, 3), ...givenAll(1, 3))).toEqual(["not-dense", "out-of-order"]);
    expect(brokenBy(...appendedAll(1, 2), given(1), given(2, { stampMs: 9_000 }))).toEqual(["clock"]);
  });

  it("may have its number given anew where its process died and the server forgot it", () => {
    const anew = [given(1), given(2, { name: "o.1/0" }), appended(2, { name: "o.1/0", process: "o.1" })];
    const { violations, counts } = check(...appendedAll(1, 2), ...anew, kill("o", 3), fault(2, 3, forgetting));
    expect([violations, counts.rewritten, counts.lostTogether]).toEqual([[], 1, 1]);
    expect(brokenBy(...appendedAll(1, 2), ...anew)).toEqual(["lost", "wrong-number"]);
  });

  it("comes as it was appended, only if it was, and not to its own instance", () => {
    expect(brokenBy(appended(1), given(1, { isAltered: true }))).toEqual(["altered"]);
    expect(brokenBy(given(1))).toEqual(["phantom"]);
    expect(brokenBy(given(1), kill("o", 2))).toEqual([]);
    expect(brokenBy(appended(1), given(1), given(1, { process: "o", reader: "o" }))).toEqual(["own-event"]);
  });
});

describe("a loop", () => {
  it("leaves nothing out, and repeats nothing", () => {
    expect(brokenBy(...appendedAll(1, 2, 3), ...givenAll(1, 3, 2))).toEqual(["out-of-order", "out-of-order"]);
    expect(brokenBy(...appendedAll(1, 2), ...givenAll(1, 2, 2))).toEqual(["out-of-order"]);
  });

  it("is told exactly what is gone", () => {
    const all = appendedAll(1, 2, 3, 4);
    const behind = given(4);
    expect(brokenBy(...all, given(1), gap(2, 3), behind, fault(1, 2, forgetting))).toEqual([]);
    expect(brokenBy(...all, given(1), gap(2, 3), behind)).toEqual(["false-gap"]);
    expect(brokenBy(...all, given(1), gap(2, 3, { missed: 1 }), behind, fault(1, 2, forgetting))).toEqual([
      "wrong-count",
    ]);
    expect(brokenBy(...all, given(1), gap(2, 2), behind, fault(1, 2, forgetting))).toEqual(["lost", "out-of-order"]);
  });

  it("goes on where the one before had committed", () => {
    const next = (seq: number) => given(seq, { session: 1 });
    const first = [...appendedAll(1, 2, 3), given(1), committed(1), given(2)];
    const second = opened(1, { atMs: 10_500 });
    expect(brokenBy(...first, second, next(2), next(3))).toEqual([]);
    expect(brokenBy(...first, second, next(3))).toEqual([]);
    expect(brokenBy(...first, second, next(1), next(2), next(3))).toEqual(["repeated"]);
    expect(brokenBy(...first, second, next(1), next(2), next(3), fault(1, 2, forgetting))).toEqual([]);
    const skipped = [...appendedAll(1, 2, 3), given(1), second, next(3)];
    expect(brokenBy(...skipped)).toEqual(["lost", "out-of-order"]);
  });

  it("may be given again what was not surely committed", () => {
    const next = [opened(1, { atMs: 12_000 }), given(1, { session: 1 }), given(2, { session: 1 })];
    const slow = { startMs: 10_130, endMs: 11_130 };
    expect(brokenBy(...appendedAll(1, 2), given(1), committed(1, slow), ...next)).toEqual([]);
    expect(brokenBy(...appendedAll(1, 2), given(1), committed(1, { outcome: "failed" }), ...next)).toEqual([]);
  });

  it("may begin anew behind a reset, where history was lost", () => {
    const reset = gap(1, 0, { missed: 0, reason: "reset" });
    const anew = [appended(1, { name: "o.1/0", process: "o.1" }), given(1, { name: "o.1/0" })];
    const lost = [kill("o", 3), fault(1, 3, forgetting)];
    expect(brokenBy(...appendedAll(1, 2), ...givenAll(1, 2), reset, ...anew, ...lost)).toEqual([]);
    expect(brokenBy(...appendedAll(1, 2), ...givenAll(1, 2), ...anew, ...lost)).toEqual(["out-of-order"]);
  });
});

describe("an instance", () => {
  it("is told in time when nothing can be done", () => {
    expect(brokenBy(appended(1, { endMs: 12_000 }), given(1))).toEqual(["overdue"]);
    expect(brokenBy(appended(1), given(1), committed(1, { endMs: 12_000 }))).toEqual(["overdue"]);
    const call = { kind: "call", process: "r", what: "close", startMs: 1, endMs: 3_000, deadlineMs: 2_000 } as const;
    expect(brokenBy(call)).toEqual(["overdue"]);
    const frozen = fault(0, 20, { target: "freeze", process: "o" });
    expect(brokenBy(appended(1, { endMs: 12_000 }), given(1), frozen)).toEqual([]);
  });

  it("has its name for itself, catches up, and leaves nothing behind", () => {
    const { seq: _, stampMs: __, ...refused } = appended(1);
    expect(brokenBy({ ...refused, outcome: "taken" })).toEqual(["taken"]);
    expect(brokenBy({ kind: "caught-up", process: "r", reader: "r", behind: 2 })).toEqual(["unfinished"]);
    const drain = { kind: "drain", process: "o", pending: 1, atMs: 20_000 } as const;
    expect(brokenBy(drain)).toEqual(["unfinished"]);
    expect(brokenBy(drain, kill("o", 200))).toEqual([]);
    expect(brokenBy({ kind: "trouble", process: "o", what: "unhandled rejection" })).toEqual(["trouble"]);
    expect(brokenBy({ kind: "event", process: "r", name: "reset", count: 1, atMs: 10_000 })).toEqual(["false-gap"]);
  });
});
