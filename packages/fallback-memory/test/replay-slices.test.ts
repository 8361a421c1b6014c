import { setImmediate as turn } from "node:timers/promises";
import { maxSliceSteps } from "@continuum-cache/core/kit";
import { never } from "@continuum-cache/transport-memory/kit";
import { describe, expect, it } from "vitest";
import { applyWrite } from "../src/journal/pending-change.ts";
import { createPlanAhead } from "../src/journal/plan-ahead.ts";
import { replayPlan } from "../src/journal/replay-plan.ts";
import { createSegment, type Segment } from "../src/journal/segment.ts";
import { overridden } from "./overridden.ts";

const keys = 20_000;

/** Values for many keys: a plan looks for deletes, ends and counters among all of them before it comes to these. */
function values(): Segment {
  const segment = createSegment();
  for (let at = 0; at < keys; at++) {
    const key = `key:${at}`;
    segment.put(key, 0, (change) => {
      change.mutations++;
      applyWrite(change, { kind: "set", key, value: "1", expiresAtMs: never, keepTtl: false }, undefined, 0);
    });
  }
  return segment;
}

/** The same segment, which counts the keys that are looked at. */
function counting(segment: Segment, count: () => void): Segment {
  return overridden(segment, {
    *changes() {
      for (const change of segment.changes()) {
        count();
        yield change;
      }
    },
  });
}

describe("the plan of a replay", () => {
  it("looks at a bounded number of keys between two turns of the event loop", async () => {
    let [looked, most, inTurn] = [0, 0, 0];
    const segment = counting(values(), () => {
      looked++;
      most = Math.max(most, ++inTurn);
    });
    let isOver = false;
    const turns = (async () => {
      for (; !isOver; inTurn = 0) await turn();
    })();
    const plan = createPlanAhead(replayPlan(segment, "id"));
    let mutations = 0;
    for (;;) {
      await plan.prepare(17);
      const before = looked;
      const batches = plan.take(16);
      plan.next(1);
      expect(looked, "what was prepared is at hand").toBe(before);
      if (batches.length === 0) break;
      mutations += batches.reduce((sum, batch) => sum + batch.mutations, 0);
      await turn();
    }
    isOver = true;
    await turns;
    expect(mutations).toBe(keys);
    expect(looked).toBe(4 * keys);
    // The batches of a trip, 16 of 100 keys, are made without a pause.
    expect(most).toBeLessThanOrEqual(maxSliceSteps + 1_700);
  });

  it("is the same with and without preparing it", async () => {
    const prepared = createPlanAhead(replayPlan(values(), "id"));
    await prepared.prepare(Number.POSITIVE_INFINITY);
    const taken = createPlanAhead(replayPlan(values(), "id")).take(keys);
    expect(prepared.take(keys)).toEqual(taken);
  });

  it("skips keys that a pattern has deleted in bounded steps", () => {
    const segment = values();
    segment.invalidate("key:*", 0, true, 1);
    let looked = 0;
    let most = 0;
    const plan = replayPlan(
      counting(segment, () => looked++),
      "id",
    );
    const kinds = new Set<string>();
    for (const batch of plan) {
      most = Math.max(most, looked);
      looked = 0;
      if (batch) kinds.add(batch.kind);
    }
    expect([...kinds]).toEqual(["invalidate"]);
    expect(most).toBeLessThanOrEqual(500);
  });
});
