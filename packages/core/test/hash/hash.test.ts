import { createHash } from "node:crypto";
import { keys } from "@continuum-cache/core";
import { defineScript } from "@continuum-cache/core/kit";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const reference = (algorithm: string, text: string) => createHash(algorithm).update(text).digest("hex");

describe("hashes", () => {
  it("name a script as Redis does: SHA-1", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (lua) => {
        const script = defineScript({ name: "any", keys: 0, lua, memory: () => null });
        expect(script.sha1).toBe(reference("sha1", lua));
      }),
      runs(),
    );
  });

  it("name a query by SHA-256", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        expect(keys.query.of(text)).toBe(`query:${reference("sha256", text)}`);
      }),
      runs(),
    );
  });
});
