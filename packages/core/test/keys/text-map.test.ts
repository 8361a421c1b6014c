import { TextMap } from "@continuum-cache/core/kit";
import { runs } from "@continuum-cache/test-scale";
import { watchMaps } from "@continuum-cache/test-scale/watched-maps";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const long = 16_383;
/** Texts that differ only behind their first 16,383, or 32,766, characters. */
const text = fc
  .tuple(fc.constantFrom(0, long - 1, long, long + 1, 2 * long, 2 * long + 1, 50_000), fc.constantFrom("", "a", "b"))
  .map(([length, end]) => "k".repeat(length) + end);

describe("a map by texts", () => {
  it("does what a Map does, however long its keys are", () => {
    const step = fc.record({ does: fc.constantFrom("set" as const, "delete" as const), key: text, value: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const [own, map] = [new TextMap<number>(), new Map<string, number>()];
        for (const { does, key, value } of steps) {
          if (does === "set") [own.set(key, value), map.set(key, value)];
          else expect(own.delete(key)).toBe(map.delete(key));
          expect(own.size).toBe(map.size);
        }
        for (const { key } of steps) expect([own.has(key), own.get(key)]).toEqual([map.has(key), map.get(key)]);
        const byLength = [...map].sort(([one], [other]) => Number(one.length > long) - Number(other.length > long));
        expect([...own]).toEqual(byLength);
        expect([...own.keys()]).toEqual(byLength.map(([key]) => key));
        expect([...own.values()]).toEqual(byLength.map(([, value]) => value));
        for (const key of map.keys()) own.delete(key);
        expect([own.size, [...own]]).toEqual([0, []]);
      }),
      runs(300),
    );
  });

  it("forgets everything when it is cleared", () => {
    const map = new TextMap<number>().set("short", 1).set("k".repeat(20_000), 2);
    map.clear();
    expect([map.size, map.get("short"), map.has("k".repeat(20_000))]).toEqual([0, undefined, false]);
  });

  it("finds one of many equally long keys as fast as one of a few: none is hashed by its length", async () => {
    const map = new TextMap<number>();
    const nameOf = (at: number): string => "k".repeat(32_000) + String(at).padStart(6, "0");
    const { longestText } = await watchMaps(() => {
      for (let at = 0; at < 20; at++) map.set(nameOf(at), at);
      for (let at = 0; at < 20; at++) expect([map.has(nameOf(at)), map.get(nameOf(at))]).toEqual([true, at]);
      for (let at = 0; at < 20; at++) expect(map.delete(nameOf(at))).toBe(true);
    });
    expect(longestText).toBe(long);
    expect((await watchMaps(() => new Map().set(nameOf(0), 0))).longestText).toBeGreaterThan(long);
  });
});
