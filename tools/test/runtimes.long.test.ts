import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runBare } from "../runtimes/inside/bare-runner.ts";
import { type Installation, installRuntimes } from "../runtimes/installed-runtimes.ts";
import { runCell } from "../runtimes/matrix.ts";
import { runSuite } from "../runtimes/run-suite.ts";
import { installable, runtimes, thisNode, workerd } from "../runtimes/runtimes.ts";
import { subjects } from "../runtimes/subjects.ts";
import { isReport, readTable } from "../runtimes/table.ts";

const root = resolve(import.meta.dirname, "../..");
const suiteTimeoutMs = 200_000;

describe("the table of runtimes", () => {
  const table = readTable(readFileSync(resolve(root, "docs/RUNTIMES.md"), "utf8"));
  const fix = "write it anew: node tools/runtimes/run.mjs --write";

  it("has the packages and the runtimes that are configured", () => {
    expect(table.packages, fix).toEqual(subjects.map((subject) => subject.package));
    expect(table.runtimes, fix).toEqual(runtimes.map(({ title }) => title));
  });

  it("has a suite for every package that is made for the edge", async () => {
    const { layers } = await import(resolve(root, "tools/layers.mjs"));
    const edgePackages = Object.entries<{ edge: boolean }>(layers)
      .filter(([folder, { edge }]) => edge && folder.startsWith("packages/"))
      .map(([folder]) => JSON.parse(readFileSync(resolve(root, folder, "package.json"), "utf8")).name);
    const covered = subjects.flatMap(({ package: name, alsoCovers = [] }) => [name, ...alsoCovers]);
    expect(covered).toEqual(expect.arrayContaining(edgePackages));
  });

  it("shows nothing that failed or did not run, and no claim where sockets are not kept", () => {
    for (const [at, cell] of table.cells.entries()) {
      const subject = subjects[Math.floor(at / runtimes.length)];
      const runtime = runtimes[at % runtimes.length];
      if (subject?.needsSockets && !runtime?.keepsSockets) expect(cell).toBe("–");
      else expect(cell).toMatch(/^([1-9]\d*) of \1( |$)/);
    }
  });
});

// This Node runs the same files with vitest.
describe.each([workerd])("in $title", (runtime) => {
  const claimed = subjects.filter(({ needsSockets }) => !needsSockets || runtime.keepsSockets);
  it.each(claimed)("the suite of $package passes", { timeout: suiteTimeoutMs }, async ({ file }) => {
    const report = await runSuite(file, runtime, "");
    expect(report.failed).toEqual([]);
    expect(report.passed).toBeGreaterThan(0);
  });
});

describe("the conformance suites over REST", () => {
  let installation: Installation;
  beforeAll(async () => {
    installation = await installRuntimes();
  }, 260_000);

  for (const runtime of installable.filter(({ title }) => title !== thisNode.title)) {
    it(`pass in ${runtime.title}`, { timeout: suiteTimeoutMs }, async ({ skip }) => {
      const report = await runCell(
        { file: "packages/transport-rest/test/every-runtime.long.test.ts" },
        runtime,
        installation,
      );
      if (!isReport(report)) return skip("notRun" in report ? report.notRun : report.notClaimed);
      expect(report.failed).toEqual([]);
      expect(report.passed).toBeGreaterThan(100);
    });
  }
});

describe("the runner inside the runtimes", () => {
  it("tells what passed, what failed and why, and what was left out with its reason", async () => {
    const order: string[] = [];
    const report = await runBare(({ describe, it, afterAll }) => {
      describe("outer", () => {
        it("holds", async () => void order.push("first"));
        it.skip("waits (skipped: it needs a moon)", async () => {});
        afterAll(async () => void order.push("end"));
        describe("inner", () => {
          it("breaks", async () => {
            order.push("second");
            throw new Error("no");
          });
        });
      });
    });
    expect(order).toEqual(["first", "second", "end"]);
    expect(report).toEqual({
      passed: 1,
      failed: [{ title: "outer > inner > breaks", error: expect.stringContaining("Error: no") }],
      skipped: [{ title: "waits", reason: "it needs a moon" }],
    });
  });

  it.each([
    ["ends before its report", "", /^The process ended with 0: $/],
    ["fails", 'console.error("broken"); process.exit(3)', /^The process ended with 3: broken/],
    [
      "fails in the background",
      'Promise.reject(new Error("not awaited"))',
      /^The process ended with 1: .*not awaited/s,
    ],
  ])("counts a process that %s as a failure", async (_, program, error) => {
    const command = () => [process.execPath, "--eval", program];
    const { passed, failed } = await runSuite("packages/core/test/every-runtime.test.ts", { ...thisNode, command }, "");
    expect(passed).toBe(0);
    expect(failed).toEqual([{ title: "the end of the process", error: expect.stringMatching(error) }]);
  });

  it("counts a suite that does not even start as a failure", async () => {
    const { passed, failed } = await runSuite("packages/none.test.ts", thisNode, "");
    expect(passed).toBe(0);
    expect(failed).toEqual([{ title: "the run", error: expect.stringContaining("packages/none.test.ts") }]);
  });
});
