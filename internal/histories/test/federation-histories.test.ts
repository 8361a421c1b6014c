import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scaled, testSeed } from "@continuum-cache/test-scale";
import { afterAll, describe, expect, it } from "vitest";
import { drawPlan as drawLogPlan } from "../src/log/plan.ts";
import { createLogPool, runHistory as runLogHistory } from "../src/log/run-history.ts";
import { drawPlan as drawQueuePlan } from "../src/queue/plan.ts";
import { createQueuePool, runHistory as runQueueHistory } from "../src/queue/run-history.ts";

const folder = mkdtempSync(join(tmpdir(), "continuum-cache-federation-"));
const pools = { queue: createQueuePool(), log: createLogPool() };
const times = { faultsMs: scaled(400, 2_000), longestFaultMs: 1_000, leaseMs: 1_000, perSecond: 150 } as const;

afterAll(async () => {
  await Promise.all([pools.queue.close(), pools.log.close()]);
  rmSync(folder, { recursive: true, force: true });
});

describe("processes that work and follow while things go wrong", () => {
  for (const way of ["tcp", "rest"] as const) {
    it(`do every message of a queue over ${way}`, async () => {
      const plan = drawQueuePlan({ ...times, seed: testSeed + (way === "tcp" ? 0 : 1), way, flood: 400 });
      const { verdict } = await runQueueHistory(plan, pools.queue, folder);
      expect(verdict.counts.acked).toBeGreaterThan(300);
      expect(verdict.counts.applied).toBeGreaterThan(300);
      expect(verdict.counts.judgedWaits).toBeGreaterThan(100);
      const { faults, durability } = plan;
      expect({ violations: verdict.violations, faults, durability }).toEqual({ violations: [], faults, durability });
    });

    it(`see every event of a log over ${way}`, async () => {
      const plan = drawLogPlan({ ...times, seed: testSeed + (way === "tcp" ? 2 : 3), way });
      const { verdict } = await runLogHistory(plan, pools.log, folder);
      expect(verdict.counts.acked).toBeGreaterThan(100);
      expect(verdict.counts.given).toBeGreaterThan(2 * verdict.counts.acked);
      const { faults, durability } = plan;
      expect({ violations: verdict.violations, faults, durability }).toEqual({ violations: [], faults, durability });
    });
  }
});
