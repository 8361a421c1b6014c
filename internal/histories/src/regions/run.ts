import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "@continuum-cache/conformance/servers";
import { relay } from "@continuum-cache/federation-queue";
import type { Way } from "../faults/fault-plan.ts";
import { connectTo } from "../site/connect.ts";
import { type Instance, openInstance } from "./instance.ts";
import { openRegion, type Region } from "./region.ts";

export interface RegionsOptions {
  readonly seed: number;
  readonly way: Way;
  readonly partitionMs: number;
  /** How long there is no partition, before it and after it. */
  readonly calmMs: number;
  /** Of each instance. */
  readonly perSecond: number;
}

/** What a run came to. */
export interface RegionsResult {
  /** How many events each instance had appended, and how many copies of them there are in each region. */
  readonly copies: readonly {
    readonly origin: string;
    readonly appended: number;
    readonly lengths: readonly number[];
  }[];
  /** How many events the partition held back. */
  readonly heldBack: number;
  /** From the end of the partition until all states were the same, nothing being changed any more. */
  readonly convergedMs: number;
  /** The same from the last change with nothing wrong. */
  readonly settledMs: number;
  /** From one region to the other with nothing wrong, the shortest first. */
  readonly delaysMs: readonly number[];
  readonly isOneState: boolean;
}

const patienceMs = 120_000;
const key = "fed:sync:events";

/**
 * Three instances in two regions change a state that each of them holds, and relays copy both ways. The regions are parted, the
 * relays replaced meanwhile, and joined again.
 */
export async function runRegions(options: RegionsOptions): Promise<RegionsResult> {
  const { seed, way, partitionMs, calmMs, perSecond } = options;
  const [east, west] = [await openRegion(way), await openRegion(way)];
  const instances = [
    openInstance("east-1", east.near),
    openInstance("east-2", east.near),
    openInstance("west-1", west.near),
  ];
  let relays = await startRelays(east, west);
  const work = async (ms: number, nth: number): Promise<void> => {
    const signal = AbortSignal.timeout(ms);
    await Promise.all(instances.map((one, at) => one.change(createRandom(seed, nth, at), perSecond, signal)));
  };
  try {
    await work(calmMs, 1);
    await untilOne(instances);

    for (const { wan } of [east, west]) wan.set({ kind: "blackhole" });
    const before = instances.map(({ appended }) => appended);
    await work(partitionMs / 2, 2);
    await relays.close();
    relays = await startRelays(east, west);
    await work(partitionMs / 2, 3);
    const heldBack = instances.reduce((sum, { appended }, at) => sum + appended - (before[at] ?? 0), 0);
    if (isOne(instances)) throw new Error("Expected the regions to be parted, and they were not");
    for (const { wan } of [east, west]) {
      wan.set({ kind: "pass" });
      // What was sent into the dark is lost.
      wan.cut();
    }
    const convergedMs = await untilOne(instances);

    for (const one of instances) one.takeDelays();
    await work(calmMs, 4);
    const settledMs = await untilOne(instances);
    const delaysMs = instances
      .flatMap((one) => [...one.takeDelays()].flatMap(([origin, times]) => (isNear(origin, one.id) ? [] : times)))
      .sort((one, other) => one - other);
    const copies = await Promise.all(
      instances.map(async ({ id: origin, appended }) => {
        const lengths = await Promise.all([east, west].map(({ redis }) => redis.command("XLEN", `${key}:${origin}`)));
        return { origin, appended, lengths: lengths.map(Number) };
      }),
    );
    return { copies, heldBack, convergedMs, settledMs, delaysMs, isOneState: isOne(instances) };
  } finally {
    await relays.close();
    for (const one of instances) await one.close();
    for (const region of [east, west]) await region.close();
  }
}

const isNear = (one: string, other: string): boolean => one.split("-")[0] === other.split("-")[0];

/** Each writes into the other region. */
async function startRelays(east: Region, west: Region): Promise<{ close(): Promise<void> }> {
  const timeoutMs = 2_000;
  const start = (from: Region, to: Region) => {
    const [here, there] = [connectTo(from.near, timeoutMs), connectTo(to.far, timeoutMs)];
    const running = relay({ transport: here }, { transport: there }, { timeout: `${timeoutMs}ms` });
    return {
      async close() {
        await running.close();
        await Promise.all([here.close(), there.close()]);
      },
    };
  };
  const relays = [start(east, west), start(west, east)];
  return {
    async close() {
      await Promise.all(relays.map((one) => one.close()));
    },
  };
}

function isOne(instances: readonly Instance[]): boolean {
  const isComplete = instances.every(({ id, applied }) =>
    instances.every((other) => other.id === id || applied.get(other.id) === other.appended),
  );
  return isComplete && new Set(instances.map((one) => one.digest())).size === 1;
}

/** Waits until all have seen everything, and tells how long that was. */
async function untilOne(instances: readonly Instance[]): Promise<number> {
  const startedMs = performance.now();
  while (!isOne(instances)) {
    if (performance.now() - startedMs > patienceMs) {
      const seen = instances.map(({ id, appended, applied }) => ({
        id,
        appended,
        applied: Object.fromEntries(applied),
      }));
      throw new Error(`Expected the states to become one within ${patienceMs} ms: ${JSON.stringify(seen)}`);
    }
    await sleep(2);
  }
  return performance.now() - startedMs;
}
