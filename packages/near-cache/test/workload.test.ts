import { startRedisServer } from "@continuum-cache/conformance/servers";
import { Cache } from "@continuum-cache/core";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { LRUCache } from "lru-cache";
import { afterEach, expect, it, vi } from "vitest";
import { nearCache } from "../src/index.ts";

const keys = 10_000;
const heldValues = 1_000;
/** At 100 a second one look a second is a hundredth already, without a get to spare. */
const getsPerSecond = 105;
const processes = 2;
const writesPerSecond = 1.25;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Numbers from 0 to 1, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return (state + 1) / 4_294_967_297;
  };
}

/** Keys whose use falls with the 0.9th power of their rank. */
function zipf(next: () => number): () => number {
  const sums = new Float64Array(keys);
  let sum = 0;
  for (let rank = 0; rank < keys; rank++) {
    sum += 1 / (rank + 1) ** 0.9;
    sums[rank] = sum;
  }
  return () => {
    const wanted = next() * sum;
    let low = 0;
    let high = keys - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

it("hits 2.5 times as often as values held for the same bound, for a hundredth of a command per get", async () => {
  const server = await startRedisServer();
  const next = random(99);
  const key = zipf(next);
  // Time goes on with the operations, so that nothing depends on the speed of this machine.
  let nowMs = performance.now();
  vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  vi.spyOn(Date, "now").mockImplementation(() => 1e12 + nowMs);

  const name = (at: number): string => `key:${String(at).padStart(6, "0")}`;
  // As many values of one character as the model holds.
  const near = nearCache({ maxStaleness: "1s", ttl: "1h", maxBytes: heldValues * (1 + name(0).length + 64) });
  const open = () =>
    new Cache({ transport: tcpTransport({ url: server.url }), defaultTtl: Number.POSITIVE_INFINITY, near });
  const readers = Array.from({ length: processes }, () => ({
    cache: open(),
    held: new LRUCache<number, number>({ max: heldValues }),
    timed: 0,
  }));
  const writer = open();
  await writer.setMany(Object.fromEntries(Array.from({ length: keys }, (_, at) => [name(at), 1])));

  let writes = 0;
  const perSecond = getsPerSecond * processes + writesPerSecond;
  const run = async (seconds: number): Promise<number> => {
    const endMs = nowMs + seconds * 1_000;
    let gets = 0;
    while (nowMs < endMs) {
      nowMs += (-Math.log(next()) * 1_000) / perSecond;
      const at = key();
      if (next() < writesPerSecond / perSecond) {
        await writer.set(name(at), Math.floor(next() * 10));
        writes++;
        continue;
      }
      const reader = readers[Math.floor(next() * processes)] as (typeof readers)[number];
      const readMs = reader.held.get(at);
      if (readMs !== undefined && nowMs - readMs <= 1_000) reader.timed++;
      else reader.held.set(at, nowMs);
      await reader.cache.get(name(at));
      gets++;
    }
    return gets;
  };
  const totals = () => {
    const stats = readers.map(({ cache }) => cache.stats());
    return {
      hits: stats.reduce((sum, { near: own }) => sum + (own?.hits ?? 0), 0),
      commands: stats.reduce((sum, { commands }) => sum + commands, 0),
      timed: readers.reduce((sum, { timed }) => sum + timed, 0),
      writing: writer.stats().commands,
    };
  };

  await run(25);
  const before = totals();
  writes = 0;
  const gets = await run(50);
  const after = totals();
  const hitRatio = (after.hits - before.hits) / gets;
  const timedRatio = (after.timed - before.timed) / gets;
  const commandsPerGet = (after.commands - before.commands) / gets;
  expect(hitRatio).toBeGreaterThanOrEqual(2.5 * timedRatio);
  expect(after.writing - before.writing).toBe(2 * writes);
  expect(commandsPerGet).toBeLessThanOrEqual(1 - hitRatio + 0.01);
  vi.restoreAllMocks();
  await Promise.all([writer, ...readers.map(({ cache }) => cache)].map((cache) => cache.close()));
  await server.close();
});
