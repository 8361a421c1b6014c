import { describe, expect, it } from "vitest";
import { overdueCalls } from "../../src/checking/overdue.ts";
import { readStalls } from "../../src/checking/stalls.ts";

const stall = (process: string, fromMs: number, toMs: number) =>
  ({ kind: "stall", process, atMs: toMs, ms: toMs - fromMs }) as const;

describe("stalls", () => {
  const stalls = readStalls([stall("one", 100, 300), stall("other", 200, 400), stall("one", 900, 1_000)]);

  it("count a time once in which several processes stood still", () => {
    expect(stalls.betweenMs(0, 2_000)).toBe(400);
    expect(stalls.betweenMs(250, 950)).toBe(200);
    expect(stalls.betweenMs(450, 850)).toBe(0);
  });

  it("are told for one process alone", () => {
    expect(stalls.betweenMs(0, 2_000, "one")).toBe(300);
    expect(stalls.betweenMs(0, 2_000, "none")).toBe(0);
  });
});

describe("a call", () => {
  const call = { process: "one", what: "push", startMs: 0, endMs: 1_500, deadlineMs: 1_000 };
  const overdue = (...stalls: Parameters<typeof readStalls>[0]): string[] =>
    overdueCalls([call], [], readStalls(stalls), 100).map(({ detail }) => detail);

  it("is overdue beyond its deadline and the slack", () => {
    expect(overdue()).toEqual(["push took 1500 ms of 1000"]);
  });

  it("is not overdue for the time in which its own process stood still", () => {
    expect(overdue(stall("one", 500, 1_000))).toEqual([]);
    expect(overdue(stall("one", 500, 800))).toEqual(["push took 1200 ms of 1000"]);
    expect(overdue(stall("other", 500, 1_000))).toEqual(["push took 1500 ms of 1000"]);
  });
});
