import { type FaultProxy, startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { Cache, guarded, type Transport } from "@continuum-cache/core";
import { scaled, testSeed } from "@continuum-cache/test-scale";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nearCache } from "../src/index.ts";
import { createHistory, type History } from "./model/history.ts";

const boundMs = 150;
const clients = 3;
const roundMs = 25;

afterEach(() => {
  vi.restoreAllMocks();
});

/** A process with its own way to the server. It can end at any moment, and another takes its place. */
interface Client {
  cache: Cache;
  readonly proxy: FaultProxy;
}

const faults = [
  { kind: "blackhole" },
  { kind: "half-open", lost: "requests" },
  { kind: "half-open", lost: "replies" },
  { kind: "latency", latencyMs: 40 },
  { kind: "reset" },
] as const;

describe.each(["Redis protocol", "REST"])("random histories over %s", (protocol) => {
  it("hold no hit that is older than the bound, and no stale value in the end", async () => {
    const server = await startRedisServer();
    const gateway =
      protocol === "REST" ? await startUpstashLocal({ port: 0, token: "t", redisUrl: server.url }) : undefined;
    const target = gateway ? { port: Number(new URL(gateway.url).port) } : server;
    const direct = tcpTransport({ url: server.url });
    const open = ({ port }: FaultProxy): Cache => {
      const url = `127.0.0.1:${port}`;
      const plain: Transport = gateway
        ? restTransport({ url: `http://${url}`, token: "t" })
        : tcpTransport({ url: `redis://${url}` });
      const transport = guarded(plain, { breaker: false, retries: 1 });
      const near = nearCache({ maxStaleness: `${boundMs}ms`, ttl: "1h" });
      return new Cache({ transport, timeout: "200ms", defaultTtl: Number.POSITIVE_INFINITY, near });
    };
    const all: Client[] = [];
    for (let nth = 0; nth < clients; nth++) {
      const proxy = await startFaultProxy(target);
      all.push({ proxy, cache: open(proxy) });
    }
    const { now } = Date;
    let shiftMs = 0;
    vi.spyOn(Date, "now").mockImplementation(() => now() + shiftMs);

    const history = createHistory(testSeed, clients, boundMs);
    const ended: Cache[] = [];
    const endMs = performance.now() + scaled(6_000);
    while (performance.now() < endMs) {
      const work = all.flatMap(({ cache }, nth) => history.round(cache, nth));
      const { random, pick } = history;
      const client = all[Math.floor(random() * clients)] as Client;
      if (random() < 0.1) client.proxy.set(pick(faults));
      if (random() < 0.2) {
        client.proxy.set({ kind: "pass" });
        client.proxy.cut();
      }
      if (random() < 0.03) await direct.send([["XTRIM", "continuum:invalidations", "MAXLEN", random() < 0.5 ? 0 : 1]]);
      if (random() < 0.02) await direct.send([["DEL", "continuum:invalidations"]]);
      if (random() < 0.03) shiftMs = pick([0, 3_600_000, -3_600_000]);
      if (random() < 0.03) {
        // It ends in the middle of whatever it does.
        client.proxy.cut();
        ended.push(client.cache);
        client.cache = open(client.proxy);
      }
      await Promise.race([Promise.all(work), new Promise((resolve) => setTimeout(resolve, roundMs))]);
    }
    await history.settled();
    for (const { proxy } of all) {
      proxy.set({ kind: "pass" });
      proxy.cut();
    }
    await expect.poll(() => isRepaired(history, all, direct)).toBe(true);
    const { violations, counts } = history;
    expect(violations).toEqual([]);
    expect(counts.hits).toBeGreaterThan(100);
    vi.restoreAllMocks();
    await Promise.all([...ended, ...all.map(({ cache }) => cache)].map((cache) => cache.close().catch(() => {})));
    await Promise.all(all.map(({ proxy }) => proxy.close()));
    await direct.close();
    await gateway?.close();
    await server.close();
  });
});

/** Whether every process reads what the server holds, once nothing goes on any more. */
async function isRepaired(history: History, all: readonly Client[], direct: Transport): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, 2 * boundMs));
  for (const { cache } of all) {
    for (const key of history.keys) {
      const [stored] = await direct.send([["GET", key]]);
      const read = await cache.get<number>(key).catch(() => "unanswered");
      if (read !== (stored === null || stored === undefined ? undefined : Number(stored))) return false;
    }
  }
  return true;
}
