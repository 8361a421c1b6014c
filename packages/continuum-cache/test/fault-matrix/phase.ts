import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import type { Cache } from "@continuum-cache/core";
import type { Backend } from "./backends.ts";
import type { Times } from "./calls.ts";
import { afterwards, type Cell, createCell } from "./cell.ts";
import type { Fault } from "./faults.ts";
import { type Moment, plansFor, seedsOf } from "./plans.ts";
import type { Stalls } from "./stalls.ts";
import type { Tally } from "./tally.ts";
import type { World } from "./world.ts";

export interface PhaseParts {
  readonly backend: Backend;
  readonly fault: Fault;
  readonly moment: Moment;
  readonly world: World;
  readonly stalls: Stalls;
  readonly tally: Tally;
}

/** How long an outage goes on after its calls. */
const outageMs = 100;
/** The way back, and the end of the last connection, must not outlast this on the slowest machine. */
const patienceMs = 120_000;
const shortTimes: Times = { cacheMs: 300, callerMs: 150 };
const longTimes: Times = { cacheMs: 10_000, callerMs: 9_000 };

/** All operations in one fault at one moment, with fallback and without, at once. */
export async function runPhase({ backend, fault, moment, world, stalls, tally }: PhaseParts): Promise<void> {
  const times = fault.harmless ? longTimes : shortTimes;
  const divided = moment === "under way" || (fault.partial ?? false);
  const plans = plansFor(backend, fault, moment);
  await world.admin.send([["FLUSHALL"], ...seedsOf(plans)]);
  const makeCells = (): Cell[] => {
    const make = (fallback: boolean): Cache => world.makeCache({ fallback, timeout: `${times.cacheMs}ms` });
    // Without a fallback no operation changes what another is told, so a few caches do.
    const shared = Array.from({ length: 4 }, () => make(false));
    return plans.map((plan, index) => {
      tally.cell();
      const cache = plan.fallback ? make(true) : (shared[index % shared.length] as Cache);
      return createCell({ plan, cache, times, fault, divided, world, stalls, tally });
    });
  };

  const cells = moment === "before the first connection" ? await lateCells(makeCells, fault, world) : makeCells();
  if (moment !== "before the first connection") await Promise.all(cells.map((cell) => cell.connect()));
  if (moment === "idle") await fault.set(world);
  await (moment === "under way" ? callsMet(cells, fault, world) : callsInTurns(cells));

  const local = cells.filter(({ plan }) => plan.fallback);
  await lookAtAll(local, "in the outage");
  await delay(outageMs);
  await lookAtAll(local, "later in the outage");
  await fault.heal(world);
  const healedAt = performance.now();
  await Promise.all(cells.map((cell) => wayBack(cell, healedAt, tally)));
  await lookAtAll(local, afterwards);
  await Promise.all(local.map((cell) => cell.lookOnServer()));
  await Promise.all(cells.map(({ cache }) => cache.close()));
  await noConnectionsLeft(world, tally);
}

async function lateCells(makeCells: () => Cell[], fault: Fault, world: World): Promise<Cell[]> {
  await fault.set(world);
  return makeCells();
}

/**
 * One cell after the other: their first turns together would keep the process busy for longer than their calls last.
 */
async function callsInTurns(cells: readonly Cell[]): Promise<void> {
  const calls: Promise<void>[] = [];
  for (const cell of cells) {
    calls.push(cell.callAll());
    await turn();
  }
  await Promise.all(calls);
}

/** All at once, and then the fault. */
async function callsMet(cells: readonly Cell[], fault: Fault, world: World): Promise<void> {
  const calls: Promise<void>[] = [];
  const start = (): void => void calls.push(...cells.map((cell) => cell.callAll()));
  if (fault.setInFlight) await fault.setInFlight(world, start);
  else {
    start();
    await turn();
    await fault.set(world);
  }
  await Promise.all(calls);
}

const lookAtAll = (cells: readonly Cell[], when: string): Promise<unknown> =>
  Promise.all(cells.map((cell) => cell.lookAgain(when)));

/**
 * Until the primary answers and knows everything; what must hold is looked at all the way. The looks get rarer: those
 * of a hundred caches together would keep a slow machine so busy that none of them is answered in time.
 */
async function wayBack(cell: Cell, healedAt: number, tally: Tally): Promise<void> {
  const { cache, plan } = cell;
  for (let pauseMs = 100; !(await cell.isBack()); pauseMs = Math.min(pauseMs * 1.5, 5_000)) {
    if (performance.now() > healedAt + patienceMs) {
      const { currentBackend, pending, outage } = cache;
      const state = JSON.stringify({ currentBackend, pending, outage });
      tally.wrong(`${plan.label}: not back after ${patienceMs} ms: ${state}`);
      return;
    }
    if (plan.fallback) await cell.lookAgain("on the way back", 1);
    await delay(pauseMs);
  }
  tally.recovery(performance.now() - healedAt);
}

async function noConnectionsLeft(world: World, tally: Tally): Promise<void> {
  const givenUpAt = performance.now() + patienceMs;
  let left = await world.connections();
  while (left > 0 && performance.now() < givenUpAt) {
    await delay(10);
    left = await world.connections();
  }
  if (left > 0) tally.wrong(`${left} connection(s) stand though all caches are closed`);
}
