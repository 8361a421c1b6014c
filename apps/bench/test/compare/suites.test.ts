import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { suites } from "../../src/compare/catalog.ts";
import { suiteChart, suiteTables } from "../../src/compare/report.ts";
import { runHere, runInProcess } from "../../src/compare/run-contender.ts";
import { runSuite } from "../../src/compare/run-suite.ts";
import type { Suite } from "../../src/compare/suite.ts";
import { summarize } from "../../src/compare/summary.ts";

const builtEntry = join(import.meta.dirname, "../../../../packages/continuum-cache/dist/index.js");
const suiteOf = (name: string): Suite => suites.find((suite) => suite.name === name) as Suite;
const briefly = { rounds: 1, warmUps: 0, sliceMs: 5, scale: 0.005, run: runHere };

describe("bench compare", () => {
  it.for(suites.map((suite) => [suite.name, suite] as const))(
    "every contender of the suite %s works",
    async ([name, suite], { skip }) => {
      skip(name === "cold-start" && !existsSync(builtEntry), "it measures packages as built, and they are not built");
      const rows = summarize(suite, await runSuite(suite, briefly));
      expect(new Set(rows.map((row) => row.name))).toEqual(
        new Set(suite.contenders.map((contender) => contender.name)),
      );
      expect(new Set(rows.map((row) => row.scenario))).toEqual(new Set(suite.scenarios));
      for (const { value } of rows) expect(value.median).toBeGreaterThan(0);
      const text = suiteTables(suite, rows) + suiteChart(suite, rows);
      for (const row of rows) expect(text).toContain(row.name);
      expect(text).not.toMatch(/NaN|undefined|Infinity/);
    },
  );

  it("counts the commands on the server: a burst of 100 gets is one", async () => {
    const tcp = suiteOf("tcp");
    const counted = ["UpstashCache", "minimal RESP client"];
    const contenders = tcp.contenders.filter(({ name }) => counted.includes(name));
    const suite = { ...tcp, contenders, scenarios: ["burst of 100 gets"] };
    const results = await runSuite(suite, briefly);
    const perOperation = results.map(({ contender, slices: [slice] }) => [
      contender.name,
      (slice?.commands ?? Number.NaN) / (slice?.operations ?? Number.NaN),
    ]);
    expect(Object.fromEntries(perOperation)).toEqual({ UpstashCache: 0.01, "minimal RESP client": 1 });
  });

  it("gives each contender a process of its own, and tells why one fails", async () => {
    const codecs = suiteOf("codecs");
    const suite = { ...codecs, contenders: codecs.contenders.filter(({ name }) => name === "JSON") };
    const [first] = await runSuite(suite, { ...briefly, run: runInProcess });
    expect(first?.slices[0]?.operations).toBeGreaterThan(0);
    const renamed = suite.contenders.map((contender) => ({ ...contender, name: "Unknown" }));
    await expect(runSuite({ ...suite, contenders: renamed }, { ...briefly, run: runInProcess })).rejects.toThrow(
      "Unknown failed in the suite codecs: Error: Error: There is no Unknown in a suite codecs",
    );
  });
});
