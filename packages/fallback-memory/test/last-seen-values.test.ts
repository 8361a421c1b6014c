import { setImmediate as turn } from "node:timers/promises";
import { compileGlob, maxSliceSteps, systemClock } from "@continuum-cache/core/kit";
import { never } from "@continuum-cache/transport-memory/kit";
import { describe, expect, it } from "vitest";
import { createLastSeenValues, type LastSeenValues } from "../src/last-seen/last-seen-values.ts";

const keys = 20_000;

function filled(): LastSeenValues {
  let number = 0;
  const known = createLastSeenValues({
    maxEntries: keys,
    maxBytes: 2 ** 30,
    clock: systemClock,
    nextNumber: () => ++number,
  });
  for (let at = 0; at < keys; at++) known.recordWritten(`key:${at}`, "value", never);
  return known;
}

describe("the last seen values of keys that are deleted by pattern", () => {
  it("are dropped in slices of a bounded number of keys", async () => {
    const known = filled();
    let [most, inTurn] = [0, 0];
    let isOver = false;
    const turns = (async () => {
      for (; !isOver; inTurn = 0) await turn();
    })();
    const isDoomed = compileGlob("key:1*");
    const matches = (key: Parameters<typeof isDoomed>[0]): boolean => {
      most = Math.max(most, ++inTurn);
      return isDoomed(key);
    };
    await known.forgetOlder(matches, known.nextNumber());
    isOver = true;
    await turns;
    expect(most).toBeLessThanOrEqual(maxSliceSteps);
    const left = Array.from({ length: keys }, (_, at) => `key:${at}`).filter((key) => known.certain(key));
    expect(left.length).toBe(keys - 11_111);
    expect(left.filter(isDoomed)).toEqual([]);
  });

  it("stay if they were seen meanwhile", async () => {
    const known = filled();
    const forgetting = known.forgetOlder(compileGlob("key:*"), known.nextNumber());
    known.recordWritten("key:1", "another", never);
    known.recordWritten(`key:${keys - 1}`, "another", never);
    await forgetting;
    expect([known.latest("key:1")?.value, known.latest(`key:${keys - 1}`)?.value]).toEqual(["another", "another"]);
    expect(known.latest("key:2")).toBeUndefined();
  });
});
