import { setTimeout as sleep } from "node:timers/promises";
import {
  createRandom,
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import { relay } from "@continuum-cache/federation-queue";
import type { Rules, Violation } from "../checking/rules.ts";
import { untilSeen } from "../fleet/patience.ts";
import { type Address, addressAt, connectTo, startGateway, type Way } from "../site/address.ts";
import { type Instance, openInstance } from "./instance.ts";

export interface RegionsOptions {
  readonly seed: number;
  readonly way: Way;
  /** How long the regions are parted at least. */
  readonly partitionMs: number;
  /** How long there is no partition, before it and after it. */
  readonly calmMs: number;
  /** Changes of each instance. In each of these times as many are made as fit, however long they take. */
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
  /** Events that were told to be missing: there must be none. */
  readonly gaps: readonly string[];
  /** How many events the partition held back. */
  readonly heldBack: number;
  /** Whether the regions knew different things at the end of the partition. */
  readonly wereParted: boolean;
  readonly isOneState: boolean;
  /** What each instance had seen at the end. */
  readonly seen: readonly object[];
  /** From the end of the partition, and from the last change with nothing wrong, until all states were the same. */
  readonly convergedMs: number;
  readonly settledMs: number;
  /** From one region to the other with nothing wrong. */
  readonly delaysMs: readonly number[];
}

/** What instances in several regions are promised. */
export const regionsRules: Rules<RegionsResult, Violation> = {
  parted: {
    promise: "While the regions are parted, no event passes between them: else the run shows nothing.",
    check: ({ wereParted }) =>
      wereParted ? [] : [{ kind: "not-parted", detail: "all states were one in the partition" }],
  },
  "one state": {
    promise: "After the partition all instances come to the same state.",
    check: ({ isOneState, seen }) => (isOneState ? [] : [{ kind: "different-states", detail: JSON.stringify(seen) }]),
  },
  "one copy": {
    promise: "Each event is there once in each region.",
    check: ({ copies }) =>
      copies
        .filter(({ appended, lengths }) => lengths.some((length) => length !== appended))
        .map((copy) => ({ kind: "wrong-copies", detail: JSON.stringify(copy) })),
  },
  "no gap": {
    promise: "No instance is told of missing events, since no server forgets.",
    check: ({ gaps }) => gaps.map((detail) => ({ kind: "false-gap", detail })),
  },
};

/** A database of its own, as those within its region and those in others reach it. */
interface Region {
  readonly redis: RedisServer;
  readonly near: Address;
  readonly far: Address;
  /** The way from other regions. */
  readonly wan: FaultProxy;
  close(): Promise<void>;
}

/** A relay gives each call so long; in a partition it then tries again. */
const relayTimeoutMs = 2_000;
const key = "fed:sync:events";

/**
 * Three instances in two regions change a state that each of them holds, and relays copy both ways. The regions are
 * parted, the relays replaced meanwhile, and joined again.
 */
export async function runRegions(options: RegionsOptions): Promise<RegionsResult> {
  const { seed, way, partitionMs, calmMs, perSecond } = options;
  const [east, west] = [await openRegion(way), await openRegion(way)];
  const both = [east, west];
  const instances = [
    openInstance("east-1", east.near),
    openInstance("east-2", east.near),
    openInstance("west-1", west.near),
  ];
  let relays = startRelays(east, west);
  const work = async (ms: number, nth: number): Promise<void> => {
    const changes = Math.ceil((ms * perSecond) / 1_000);
    await Promise.all([
      sleep(ms),
      ...instances.map((one, at) => one.change(createRandom(seed, nth, at), changes, 1_000 / perSecond)),
    ]);
  };
  const appended = (): number => instances.reduce((sum, one) => sum + one.appended, 0);
  try {
    await work(calmMs, 1);
    await untilOne(instances);

    for (const { wan } of both) wan.set({ kind: "blackhole" });
    const before = appended();
    await work(partitionMs / 2, 2);
    await relays.close();
    relays = startRelays(east, west);
    await work(partitionMs / 2, 3);
    const heldBack = appended() - before;
    const wereParted = !isOne(instances);
    for (const { wan } of both) {
      wan.set({ kind: "pass" });
      // What was sent during the blackhole is lost.
      wan.cut();
    }
    const convergedMs = await untilOne(instances);

    for (const one of instances) one.takeDelays();
    await work(calmMs, 4);
    const settledMs = await untilOne(instances);
    const delaysMs = instances.flatMap((one) =>
      [...one.takeDelays()].flatMap(([origin, times]) => (isNear(origin, one.id) ? [] : times)),
    );
    const copies = await Promise.all(
      instances.map(async ({ id: origin, appended }) => {
        const lengths = await Promise.all(both.map(({ redis }) => redis.command("XLEN", `${key}:${origin}`)));
        return { origin, appended, lengths: lengths.map(Number) };
      }),
    );
    const gaps = instances.flatMap((one) => one.gaps);
    const isOneState = isOne(instances);
    return {
      ...{ copies, gaps, heldBack, wereParted, isOneState, seen: seenBy(instances) },
      ...{ convergedMs, settledMs, delaysMs },
    };
  } finally {
    await relays.close();
    for (const one of instances) await one.close();
    for (const region of both) await region.close();
  }
}

const isNear = (one: string, other: string): boolean => one.split("-")[0] === other.split("-")[0];

async function openRegion(way: Way): Promise<Region> {
  const redis = await startRedisServer();
  const gateway = await startGateway(way, redis.url);
  const port = gateway?.port ?? redis.port;
  const wan = await startFaultProxy({ port });
  return {
    redis,
    wan,
    near: addressAt(way, port),
    far: addressAt(way, wan.port),
    async close() {
      await wan.close();
      await gateway?.close();
      await redis.close();
    },
  };
}

/** Each writes into the other region. */
function startRelays(east: Region, west: Region): { close(): Promise<void> } {
  const start = (from: Region, to: Region) => {
    const [here, there] = [connectTo(from.near, relayTimeoutMs), connectTo(to.far, relayTimeoutMs)];
    const running = relay({ transport: here }, { transport: there }, { timeout: `${relayTimeoutMs}ms` });
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

const seenBy = (instances: readonly Instance[]) =>
  instances.map(({ id, appended, applied }) => ({ id, appended, applied: Object.fromEntries(applied) }));

/** Waits until all have seen everything, or no event comes any more, and returns how long that was. */
async function untilOne(instances: readonly Instance[]): Promise<number> {
  const startedMs = performance.now();
  await untilSeen(
    () => seenBy(instances),
    () => isOne(instances),
    { everyMs: 2 },
  );
  return performance.now() - startedMs;
}
