import { describe, expect, it } from "vitest";
import { cpu, milliseconds, perSecond } from "../../src/compare/columns.ts";
import { benchmarksDocument, circumstancesOf } from "../../src/compare/document.ts";
import { suiteChart, suiteTables } from "../../src/compare/report.ts";
import type { Result } from "../../src/compare/run-suite.ts";
import { spreadOf } from "../../src/compare/statistics.ts";
import type { Suite } from "../../src/compare/suite.ts";
import { summarize } from "../../src/compare/summary.ts";

const open = async () => ({ measures: {} });
const contenders = {
  ours: { name: "ours", kind: "ours", open },
  slow: { name: "slow", kind: "rival", open },
  quick: { name: "quick", kind: "rival", open },
};

const suite: Suite = {
  name: "example",
  title: "Example",
  about: "",
  servers: "none",
  value: perSecond,
  columns: [cpu],
  scenarios: ["work"],
  contenders: Object.values(contenders),
};

/** A slice for each number of operations in a second; each operation takes half of its time on the CPU. */
const result = (name: keyof typeof contenders, perSecond: readonly number[]): Result => ({
  scenario: "work",
  contender: contenders[name],
  slices: perSecond.map((operations) => ({ operations, wallMs: 1_000, cpuUs: 500_000 })),
});

describe("a summary of rounds", () => {
  it("has the median and the middle half", () => {
    expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ median: 3, lower: 2, upper: 4 });
    expect(spreadOf([1, 2])).toEqual({ median: 1.5, lower: 1.25, upper: 1.75 });
    expect(spreadOf([7])).toEqual({ median: 7, lower: 7, upper: 7 });
  });

  it("puts ours beside the best rival of the same round, not beside its median", () => {
    // A slow machine in the second round slows down both alike: the ratio stays 2.
    const results = [result("ours", [200, 20, 400]), result("slow", [50, 5, 100]), result("quick", [100, 10, 200])];
    const [ours, slow] = summarize(suite, results);
    expect(ours?.value.median).toBe(200);
    expect(ours?.ratios).toEqual([{ kind: "rival", value: { median: 2, lower: 2, upper: 2 }, cpu: 0.5 }]);
    expect(slow?.ratios).toEqual([]);
    expect(suiteTables(suite, summarize(suite, results))).toContain(
      "| **ours** | 200 | 110–300 | 2.00 (2.00–2.00), CPU 0.50 | 2,500.00 |",
    );
  });

  it("takes the shortest for the best where times are compared", () => {
    const results = [result("ours", [200]), result("slow", [50]), result("quick", [100])];
    const [ours] = summarize({ ...suite, value: milliseconds }, results);
    expect(ours?.ratios[0]?.value.median).toBe(0.5);
  });
});

describe("the page", () => {
  it("says when, where, how and with which versions, and has a chart and tables of each suite", async () => {
    const rows = summarize(suite, [result("ours", [200, 210]), result("slow", [50, 60]), result("quick", [100, 100])]);
    const circumstances = await circumstancesOf(["--write"]);
    const page = benchmarksDocument(circumstances, [{ suite, rows }]);
    expect(page).toContain("`npx --yes pnpm@12.21.0 bench compare --write`");
    expect(page).toContain("| Example: work | ours | 205 per second | 2.05 beside rival |");
    for (const name of ["Node", "Redis", "ioredis", "bullmq", "@upstash/redis"]) {
      expect(circumstances.versions.some((version) => new RegExp(`^${name} \\d+\\.\\d+`).test(version))).toBe(true);
    }
    expect(page).toContain(suiteChart(suite, rows));
    expect(page).toContain(suiteTables(suite, rows));
    expect(page).not.toMatch(/undefined|NaN/);
  });

  it("draws the longest bar of a scenario 40 characters wide", () => {
    const chart = suiteChart(
      suite,
      summarize(suite, [result("ours", [200]), result("slow", [50]), result("quick", [101])]),
    );
    expect(chart.split("\n")).toEqual([
      "```text",
      "work (per second)",
      `ours  ${"█".repeat(40)} 200`,
      `slow  ${"█".repeat(10)} 50`,
      `quick ${"█".repeat(20)}▎ 101`,
      "```",
    ]);
  });
});
