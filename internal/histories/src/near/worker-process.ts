import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "@continuum-cache/conformance/servers";
import { Cache } from "@continuum-cache/core";
import { nearCache } from "@continuum-cache/near-cache";
import { type Records, serveSessions } from "../fleet/serve.ts";
import { connectTo } from "../site/address.ts";
import type { NearRecord } from "./record.ts";
import type { NearApi, NearTask } from "./tasks.ts";

/** Each place writes so many keys at a time, and others after so many milliseconds. */
const keysAtOnce = 2;
const keyLifeMs = 3_000;

/** Not `Date.now`: what is recorded is finer than the bound. */
const nowMs = (): number => performance.timeOrigin + performance.now();

/** Asks until an answer comes: a late one at the end says something of the machine, and nothing of the cache. */
async function answered<Value>(ask: () => Promise<Value>): Promise<Value> {
  for (let tries = 1; tries < 100; tries++) {
    try {
      return await ask();
    } catch {
      await sleep(50);
    }
  }
  return ask();
}

/** Reads and writes until it is told to stop, and records what it gets. */
function nearWork(task: NearTask, records: Records<NearRecord>): NearApi {
  const { process, place, places, setup, seed } = task;
  const transport = connectTo(task.address, setup.timeoutMs);
  const near = nearCache({ maxStaleness: `${setup.boundMs}ms`, ttl: "1h", maxBytes: 4_096 });
  const cache = new Cache({ transport, near, timeout: `${setup.timeoutMs}ms`, defaultTtl: "10m" });
  const random = createRandom(seed, 0);
  let isDraining = false;
  /** The versions of its keys: of one that is not confirmed nothing more is written. */
  const versions = new Map<string, number | "unknown">();

  const generation = (): number => Math.floor(nowMs() / keyLifeMs);
  // A process that takes a place does not know what the one before has written in this generation.
  const first = generation() + 1;
  const keyOf = (of: string, nth: number, at: number): string => `key:${of}:${nth}:${at}`;

  const write = async (): Promise<void> => {
    const at = generation();
    const key = keyOf(place, random.between(0, keysAtOnce - 1), at);
    const version = versions.get(key) ?? 0;
    if (version === "unknown" || at < first) return;
    versions.set(key, "unknown");
    const next = version + 1;
    const isConfirmed = await cache.set(key, next).catch(() => false);
    records.write({ kind: "write", process, key, version: next, endMs: nowMs(), isConfirmed });
    if (isConfirmed) versions.set(key, next);
  };
  const read = async (): Promise<void> => {
    const key = keyOf(random.pick(places), random.between(0, keysAtOnce - 1), generation() - random.between(0, 1));
    const told = { kind: "read", process, key } as const;
    const peekedMs = nowMs();
    const peeked = cache.peek<number>(key);
    if (peeked !== undefined) records.write({ ...told, version: peeked, how: "peek", startMs: peekedMs });
    const startMs = nowMs();
    const got = await cache.get<number>(key).catch(() => "unanswered" as const);
    if (got !== "unanswered") records.write({ ...told, version: got ?? 0, how: "get", startMs });
  };
  const trim = async (): Promise<void> => {
    const command = random.chance(0.7)
      ? (["XTRIM", "continuum:invalidations", "MAXLEN", random.between(0, 2)] as const)
      : (["DEL", "continuum:invalidations"] as const);
    await transport.send([command], { timeoutMs: setup.timeoutMs }).catch(() => {});
  };
  const run = async (work: () => Promise<void>, everyMs: number): Promise<void> => {
    while (!isDraining) {
      await work();
      await sleep(random.next() * 2 * everyMs);
    }
  };
  const running = Promise.all([
    run(write, 40),
    run(write, 40),
    run(read, 4),
    run(read, 4),
    run(read, 20),
    run(trim, 2_000),
  ]);

  return {
    async drain() {
      isDraining = true;
      await running;
      // What was sent and not confirmed has arrived by now, or never will.
      await sleep(2 * setup.timeoutMs);
    },
    async compare() {
      for (const of of places) {
        for (let nth = 0; nth < keysAtOnce; nth++) {
          for (const at of [generation(), generation() - 1]) {
            const key = keyOf(of, nth, at);
            const [held = 0, server = 0] = [
              await answered(() => cache.get<number>(key)),
              await answered(() => cache.get<number>(key, { near: false })),
            ];
            records.write({ kind: "final", process, key, near: held, server });
          }
        }
      }
    },
    async stop() {
      const { hits = 0, syncs = 0 } = cache.stats().near ?? {};
      records.write({ kind: "count", process, hits, syncs });
      await cache.close();
    },
  };
}

/** One of the processes of a history. */
serveSessions<NearTask, NearRecord>((task, { records }) => nearWork(task, records));
