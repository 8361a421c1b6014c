import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bulkOfId, byteLength, bytesOf, idOf, sameBulk, toBulk } from "../src/values/bulk.ts";

const argument = fc.oneof(fc.string({ unit: "binary" }), fc.string(), fc.uint8Array());

describe("a bulk", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  it("is one form for one sequence of bytes", () => {
    fc.assert(
      fc.property(argument, argument, (one, other) => {
        const [a, b] = [toBulk(one), toBulk(other)];
        expect(toBulk(bytesOf(a))).toEqual(a);
        const equalBytes = bytesOf(a).join() === bytesOf(b).join();
        expect(sameBulk(a, b)).toBe(equalBytes);
        expect(idOf(a) === idOf(b)).toBe(equalBytes);
        expect(bulkOfId(idOf(a))).toEqual(a);
      }),
      runs(),
    );
  });

  it("is as long as its UTF-8, with and without Node's Buffer", async () => {
    vi.resetModules();
    vi.stubGlobal("Buffer", undefined);
    const edge = await import("../src/values/bulk.ts");
    vi.unstubAllGlobals();
    fc.assert(
      fc.property(argument, (any) => {
        const bulk = toBulk(any);
        expect(byteLength(bulk)).toBe(bytesOf(bulk).length);
        expect(edge.byteLength(bulk)).toBe(bytesOf(bulk).length);
      }),
      runs(),
    );
  });
});
