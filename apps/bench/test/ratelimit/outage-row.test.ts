import { expect, it } from "vitest";
import type { OutageDecision } from "../../src/ratelimit/outage/demand.ts";
import { summarize } from "../../src/ratelimit/outage/outage-row.ts";

const decided = (atMs: number, id = "a", more: Partial<OutageDecision> = {}): OutageDecision => ({
  site: 0,
  id,
  atMs,
  tookMs: 1,
  outcome: "allowed",
  ...more,
});

it("the worst window of a phase is the fullest for one id that ends in it, wherever it began", () => {
  const { worst, duringPerWindow, tookMs, failed } = summarize(
    { fault: "frozen", strategy: "open" },
    [
      ...[100, 500, 900].map((atMs) => decided(atMs)),
      ...[950, 960].map((atMs) => decided(atMs, "b")),
      decided(970, "a", { outcome: "refused" }),
      decided(1_050, "a", { tookMs: 40 }),
      decided(1_499),
      decided(1_501),
      decided(2_700),
      decided(2_710, "a", { outcome: "failed" }),
    ],
    { windowMs: 1_000, leaveAtMs: 1_000, backAtMs: 2_000 },
  );
  expect(worst).toEqual({ before: 3, during: 4, after: 1 });
  expect(duringPerWindow).toBe(1.5);
  expect(tookMs).toEqual({ p99: 40, max: 40 });
  expect(failed).toBe(1);
});
