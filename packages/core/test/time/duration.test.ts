import { ConfigError, type Duration } from "@continuum-cache/core";
import { toMs, toTimeoutMs } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";

describe("a duration", () => {
  it.each<[Duration, number]>([
    [1, 1_000],
    [0.25, 250],
    ["250ms", 250],
    ["30s", 30_000],
    ["1.5s", 1_500],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["1d", 86_400_000],
  ])("%s is %i ms", (duration, ms) => {
    expect(toMs(duration, "ttl")).toBe(ms);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, "5 m", "m", "", "-1s", "1e3s", null, undefined, {}])(
    "refuses %s and quotes it",
    (given) => {
      expect(() => toMs(given as Duration, "ttl")).toThrow(
        /Expected `ttl` to be a positive number of seconds or a string/,
      );
      expect(() => toMs(given as Duration, "ttl")).toThrow(ConfigError);
      expect(() => toTimeoutMs(given as Duration, "ttl")).toThrow(ConfigError);
    },
  );

  it("as a timeout is never longer than a timer can wait: beyond that timers fire at once", () => {
    expect(toTimeoutMs("30d", "timeout")).toBe(2 ** 31 - 1);
    expect(toTimeoutMs("2s", "timeout")).toBe(2_000);
  });

  it("never becomes zero", () => {
    expect(toMs("0.1ms", "ttl")).toBe(1);
  });
});
