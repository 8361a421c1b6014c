import { describe, expect, it } from "vitest";
import { conflictAfter, continuityOf } from "../../src/log/origin-lease.ts";

const refusal = (holder: string, untilMs: number) =>
  ({ kind: "conflict", holder, untilMs, nowMs: 1_000, sinceMs: 0 }) as const;

describe("a conflict over a name", () => {
  it("is with a leftover of a crash until the other process is seen to renew its lease", () => {
    const first = conflictAfter({ kind: "free" }, refusal("other", 5_000), 30_000);
    expect(first.isAlive).toBe(false);
    expect(conflictAfter(first, refusal("other", 5_000), 30_000).isAlive).toBe(false);
    expect(conflictAfter(first, refusal("other", 9_000), 30_000).isAlive).toBe(true);
    expect(conflictAfter(first, refusal("third", 9_000), 30_000).isAlive).toBe(false);
  });

  it("is tried again when the other lease has ended, or after a quarter of a long one", () => {
    const waitMs = (untilMs: number): number =>
      conflictAfter({ kind: "free" }, refusal("other", untilMs), 30_000).nextTryMs - performance.now();
    expect(waitMs(3_000)).toBeGreaterThan(1_900);
    expect(waitMs(3_000)).toBeLessThan(2_100);
    expect(waitMs(61_000)).toBeGreaterThan(7_400);
    expect(waitMs(61_000)).toBeLessThan(7_600);
  });
});

describe("a hold continues this process's own history", () => {
  it.each([
    ["when it is the first", { token: "me", sinceMs: undefined }, { holder: "other", sinceMs: 50 }, "own"],
    ["when no other process had the name", { token: "me", sinceMs: 50 }, { holder: "me", sinceMs: 50 }, "own"],
    ["when a server remembers an older hold", { token: "me", sinceMs: 50 }, { holder: "other", sinceMs: 40 }, "own"],
    ["but not when another had it later", { token: "me", sinceMs: 50 }, { holder: "other", sinceMs: 60 }, "another"],
  ] as const)("%s", (_, own, before, continuity) => {
    expect(continuityOf(own, before)).toBe(continuity);
  });
});
