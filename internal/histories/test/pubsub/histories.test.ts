import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { FaultStep } from "../../src/faults/fault-plan.ts";
import type { ContenderName } from "../../src/pubsub/clients/catalog.ts";
import { drawPlan, type Plan } from "../../src/pubsub/plan.ts";
import { createPubSubPool, runHistory } from "../../src/pubsub/run-history.ts";
import type { Way } from "../../src/site/address.ts";
import { seed } from "../settings.ts";

const folder = mkdtempSync(join(tmpdir(), "continuum-cache-pubsub-"));
const pool = createPubSubPool();

afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

const planOf = (way: Way, contender: ContenderName, nth: number): Plan =>
  drawPlan({ seed: seed + nth, way, contender, faultsMs: 5_000, longestFaultMs: 1_500 });

describe(`processes that publish and listen while things go wrong (TEST_SEED=${seed})`, {
  timeout: 15 * 60_000,
}, () => {
  for (const way of ["tcp", "rest"] as const) {
    it(`lose nothing in silence over ${way}`, async () => {
      const { plan, verdict } = await runHistory(planOf(way, "ours", way === "tcp" ? 0 : 1), pool, folder);
      const { acked = 0, deliveries } = verdict.counts;
      expect(acked).toBeGreaterThan(100);
      expect(deliveries).toBeGreaterThan(acked);
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
