import { scaled, testSeed } from "@continuum-cache/test-scale";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Backend } from "./backends.ts";
import { type Fault, faults } from "./faults.ts";
import { type Leftovers, watchLeftovers } from "./leftovers.ts";
import { runPhase } from "./phase.ts";
import { moments } from "./plans.ts";
import { type Stalls, watchStalls } from "./stalls.ts";
import { createTally, type Row, summaryTable } from "./tally.ts";
import { createTurns } from "./turns.ts";
import { startWorld } from "./world.ts";

/** More at once, and this process is so busy that no short timeout can be kept. */
const turns = createTurns(3);

/** The rows of one backend. */
export function describeMatrix(backend: Backend): void {
  let stalls: Stalls;
  let leftovers: Leftovers;
  const rows: Row[] = [];

  beforeAll(() => {
    stalls = watchStalls();
    leftovers = watchLeftovers();
  });

  describe.concurrent(`${backend.name}: no call fails, no call waits too long, nothing is lost`, () => {
    for (const fault of drawnFaults(backend)) {
      it(`when the server is ${fault.name}`, async ({ expect }) => {
        const tally = createTally(fault.name);
        rows.push(tally.row);
        const world = await startWorld(backend, fault.place, fault.redis);
        try {
          for (const moment of moments) {
            await turns.take(() => runPhase({ backend, fault, moment, world, stalls, tally }));
          }
        } finally {
          await world.close();
        }
        expect(tally.findings.slice(0, 20)).toEqual([]);
      });
    }
  });

  it(`${backend.name}: nothing is left behind`, async () => {
    await expect.poll(() => leftovers.handles()).toEqual([]);
    expect(leftovers.timers()).toEqual([]);
    expect(leftovers.told).toEqual([]);
  });

  afterAll(() => {
    const { p99Ms, maxMs } = stalls.summary();
    const delays = `event loop delay: p99 ${p99Ms.toFixed(0)} ms, at most ${maxMs.toFixed(0)} ms`;
    console.log(`${backend.name} (${delays})\n\n${summaryTable(rows)}\n`);
    leftovers.stop();
    stalls.stop();
  });
}

/** Some of the faults in `test`, from a place that the seed names; all of them in `test --all`. */
function drawnFaults({ name }: Backend): readonly Fault[] {
  const all = faults.filter(({ on }) => on.includes(name));
  const from = testSeed % all.length;
  return [...all, ...all].slice(from, from + Math.min(all.length, scaled(all.length / 5, 2)));
}
