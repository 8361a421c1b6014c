import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { drawPlan } from "../../src/log/plan.ts";
import { createLogPool, runHistory } from "../../src/log/run-history.ts";
import { seed } from "../settings.ts";

const folder = mkdtempSync(join(tmpdir(), "continuum-cache-log-"));
const pool = createLogPool();
const times = { faultsMs: 2_000, longestFaultMs: 1_000, leaseMs: 1_000, perSecond: 150 } as const;

afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

describe(`processes that append and follow while things go wrong (TEST_SEED=${seed})`, { timeout: 15 * 60_000 }, () => {
  it.each(["tcp", "rest"] as const)("see every event of a log over %s", async (way) => {
    const plan = drawPlan({ ...times, seed: seed + (way === "tcp" ? 2 : 3), way });
    const { verdict } = await runHistory(plan, pool, folder);
    const { acked = 0, given } = verdict.counts;
    expect(acked).toBeGreaterThan(100);
    expect(given).toBeGreaterThan(2 * acked);
    const { faults, durability } = plan;
    expect({ violations: verdict.violations, faults, durability }).toEqual({ violations: [], faults, durability });
  });
});
