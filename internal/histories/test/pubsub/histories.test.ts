import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scaled, testSeed } from "@continuum-cache/test-scale";
import { afterAll, describe, expect, it } from "vitest";
import type { ContenderName } from "../../src/pubsub/clients/catalog.ts";
import type { FaultStep } from "../../src/pubsub/fault-plan.ts";
import { drawPlan, type Plan, type Way } from "../../src/pubsub/plan.ts";
import { createPool } from "../../src/pubsub/pool.ts";
import { runHistory } from "../../src/pubsub/run-history.ts";

const folder = mkdtempSync(join(tmpdir(), "continuum-cache-pubsub-"));
const pool = createPool();

afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

const planOf = (way: Way, contender: ContenderName, nth: number): Plan =>
  drawPlan({ seed: testSeed + nth, way, contender, faultsMs: scaled(1_000, 5_000), longestFaultMs: 1_500 });

describe("processes that publish and listen while things go wrong", () => {
  for (const way of ["tcp", "rest"] as const) {
    it(`lose nothing in silence over ${way}`, async () => {
      const { plan, verdict } = await runHistory(planOf(way, "ours", way === "tcp" ? 0 : 1), pool, folder);
      expect(verdict.counts.acked).toBeGreaterThan(100);
      expect(verdict.counts.deliveries).toBeGreaterThan(verdict.counts.acked);
      expect({ violations: verdict.violations, faults: plan.faults }).toEqual({ violations: [], faults: plan.faults });
    });
  }

  it("are caught when they listen with a client that does not tell what it missed", async () => {
    const kill: FaultStep = { name: "kill subscriber connections", waitMs: 300, lastsMs: 20 };
    const plan = { ...planOf("tcp", "ioredis", 2), faults: [kill, kill, kill, kill] };
    const { verdict } = await runHistory(plan, pool, folder);
    expect(verdict.violations.map(({ kind }) => kind)).toContain("lost");
  });
});
