import { scaled, testSeed } from "@continuum-cache/test-scale";
import { describe, expect, it } from "vitest";
import { abandon } from "./abandon.ts";
import { openIsolate, type Setup } from "./isolate.ts";

/**
 * How many requests are abandoned, in all setups together. `CONTINUUM_ABANDONMENTS` and `CONTINUUM_SEED` set these two
 * alone.
 */
const abandonments = Number(process.env["CONTINUUM_ABANDONMENTS"] ?? scaled(80, 40));
const seed = Number(process.env["CONTINUUM_SEED"] ?? testSeed);
/** Much longer than anything takes, also on a busy machine: what a vanished request holds is taken over long before. */
const timeout = "20s";

const setups: readonly Setup[] = [
  { name: "without a fallback", fallback: false, goesOn: false, flags: [] },
  { name: "with a fallback", fallback: true, goesOn: false, flags: [] },
  { name: "with a fallback, and Node's timers", fallback: true, goesOn: false, flags: ["nodejs_compat"] },
  { name: "with a fallback that goes on behind responses", fallback: true, goesOn: true, flags: [] },
];

/** The same sequence for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe.each(setups)("a Worker isolate $name", (setup) => {
  const share = Math.ceil(abandonments / setups.length);

  it(`answers every request from the server and in time, though ${share} others were abandoned`, async () => {
    const isolate = await openIsolate(setup, timeout);
    try {
      const found = await abandon(isolate, {
        abandonments: share,
        atOnce: 8,
        deadlineMs: 20_000,
        random: seeded(seed),
      });
      const { increments, late, local, failed, ...figures } = found;
      console.log(setup.name, { seed, ...figures, late: late.length, local: local.length, failed: failed.length });
      expect({ late, local, failed }).toEqual({ late: [], local: [], failed: [] });
      for (const [key, { answered, all }] of increments) {
        const value = Number((await isolate.redis("GET", `n:${key}`)) ?? 0);
        expect(value).toBeGreaterThanOrEqual(answered);
        expect(value).toBeLessThanOrEqual(all);
      }
    } finally {
      await isolate.close();
    }
  });
});
