import { CodecError, CommandError, TransportError, type TransportErrorKind } from "@continuum-cache/core";
import { isOutage } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";

describe("an outage", () => {
  it.each<[TransportErrorKind, { none: boolean; unknown: boolean }]>([
    ["unreachable", { none: true, unknown: true }],
    ["timeout", { none: true, unknown: true }],
    ["quota", { none: true, unknown: true }],
    ["unauthorized", { none: true, unknown: true }],
    ["protocol", { none: false, unknown: true }],
    ["too-large", { none: false, unknown: false }],
    ["closed", { none: false, unknown: false }],
    ["aborted", { none: false, unknown: false }],
  ])("is what speaks against the server: %s %j", (kind, expected) => {
    for (const delivery of ["none", "unknown"] as const) {
      expect(isOutage(new TransportError(kind, "down", { transport: "test", delivery }))).toBe(expected[delivery]);
    }
  });

  it("is nothing that Redis said, nor a value that can't be read, nor a bug", () => {
    for (const error of [new CommandError("WRONGTYPE"), new CodecError("json", "no"), new TypeError("x"), undefined]) {
      expect(isOutage(error)).toBe(false);
    }
  });
});
