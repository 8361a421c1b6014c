import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { NearRecord } from "../../src/near/record.ts";
import { checkNear } from "../../src/near/rules.ts";
import { createNearPool, drawPlan, runHistory } from "../../src/near/run-history.ts";
import { seed } from "../settings.ts";

const folder = mkdtempSync(join(tmpdir(), "continuum-cache-near-"));
const pool = createNearPool();

afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

describe(`processes that read through near caches while things go wrong (TEST_SEED=${seed})`, () => {
  it.each(["tcp", "rest"] as const)("serve no hit that is older than the bound over %s", async (way) => {
    const plan = drawPlan({ faultsMs: 3_000, longestFaultMs: 1_000, seed, way });
    const { verdict } = await runHistory(plan, pool, folder);
    const { faults } = plan;
    expect({ violations: verdict.violations, faults }).toEqual({ violations: [], faults });
    expect(verdict.counts).toMatchObject({ compared: 36 });
    expect(verdict.counts["reads"]).toBeGreaterThan(100);
  });
});

describe("the rules of the near cache", () => {
  const write = { kind: "write", process: "a", key: "k", version: 2, endMs: 1_000, isConfirmed: true } as const;
  const read = { kind: "read", process: "b", key: "k", version: 1, how: "peek", startMs: 1_150 } as const;
  const kinds = (...records: NearRecord[]) => checkNear(records, 100).violations.map(({ kind }) => kind);

  it("find a hit that is too old, and accept one within the bound and an unconfirmed write", () => {
    expect(kinds(write, read)).toEqual(["too old"]);
    expect(kinds(write, { ...read, startMs: 1_100 })).toEqual([]);
    expect(kinds(write, { ...read, version: 2 })).toEqual([]);
    expect(kinds({ ...write, isConfirmed: false }, read)).toEqual([]);
  });

  it("find a value that is never repaired", () => {
    expect(kinds({ kind: "final", process: "a", key: "k", near: 1, server: 2 })).toEqual(["unrepaired"]);
    expect(kinds({ kind: "final", process: "a", key: "k", near: 2, server: 2 })).toEqual([]);
  });
});
