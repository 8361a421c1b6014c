import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { drawPlan } from "../../src/queue/plan.ts";
import { createQueuePool, runHistory } from "../../src/queue/run-history.ts";
import { seed } from "../settings.ts";

const folder = mkdtempSync(join(tmpdir(), "continuum-cache-queue-"));
const pool = createQueuePool();
const times = { faultsMs: 2_000, longestFaultMs: 1_000, leaseMs: 1_000, perSecond: 150 } as const;

afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

describe(`processes that push and work while things go wrong (TEST_SEED=${seed})`, { timeout: 15 * 60_000 }, () => {
  it.each(["tcp", "rest"] as const)("do every message of a queue over %s", async (way) => {
    const plan = drawPlan({ ...times, seed: seed + (way === "tcp" ? 0 : 1), way, flood: 400 });
    const { verdict } = await runHistory(plan, pool, folder);
    expect(verdict.counts["acked"]).toBeGreaterThan(300);
    expect(verdict.counts["applied"]).toBeGreaterThan(300);
    expect(verdict.counts["judgedWaits"]).toBeGreaterThan(100);
    const { faults, durability } = plan;
    expect({ violations: verdict.violations, faults, durability }).toEqual({ violations: [], faults, durability });
  });
});
