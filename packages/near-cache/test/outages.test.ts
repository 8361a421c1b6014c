import { startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { Cache, guarded, type Transport } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { nearCache } from "../src/index.ts";
import { commandCounts } from "./command-counts.ts";

let server: Awaited<ReturnType<typeof startRedisServer>>;
let proxy: Awaited<ReturnType<typeof startFaultProxy>>;
let direct: Transport;
const open: Cache[] = [];

beforeAll(async () => {
  server = await startRedisServer();
  proxy = await startFaultProxy(server);
  direct = tcpTransport({ url: server.url });
});
afterAll(async () => {
  proxy.set({ kind: "pass" });
  await Promise.all(open.map((cache) => cache.close()));
  await direct.close();
  await proxy.close();
  await server.close();
});

const connect = (transport: Transport, maxStaleness: `${number}ms` | "1h" = "1h", timeout = "2s" as "2s" | "1m") => {
  const cache = new Cache({ transport, timeout, near: nearCache({ maxStaleness, ttl: "1h" }) });
  open.push(cache);
  return cache;
};

/** Reads until the value is held. */
const hold = (cache: Cache, key: string) =>
  expect.poll(async () => (await cache.get(key)) !== undefined && cache.peek(key)).toBeTruthy();

describe("a near cache in an outage", () => {
  it("holds nothing from before it, serves nothing during it, and announces what is replayed", async () => {
    const primary = guarded(tcpTransport({ url: `redis://127.0.0.1:${proxy.port}` }), { breaker: false });
    const cache = connect(withFallback(primary, memoryTransport(), { healthCheckInterval: "1s" }));
    const other = connect(tcpTransport({ url: server.url }), "20ms");
    await direct.send([["SET", "key", '"old"']]);
    await hold(cache, "key");
    await hold(other, "mine".padEnd(4)).catch(() => {});
    await cache.set("mine", "before");
    await hold(other, "mine");
    proxy.set({ kind: "blackhole" });
    proxy.cut();
    await cache.set("mine", "during");
    expect(cache.currentBackend).toBe("local");
    expect(cache.peek("key")).toBeUndefined();
    await direct.send([["SET", "key", '"new"']]);
    expect(await cache.get("key")).toBeUndefined();
    expect(await cache.get("mine")).toBe("during");
    expect(cache.peek("mine")).toBeUndefined();
    proxy.set({ kind: "pass" });
    proxy.cut();
    await expect.poll(() => cache.ping().then(() => cache.currentBackend)).toBe("upstash");
    expect(cache.peek("key")).toBeUndefined();
    expect(await cache.get("key")).toBe("new");
    const [entries] = (await direct.send([["XREVRANGE", "continuum:invalidations", "+", "-", "COUNT", 10]])) as [
      [string, string[]][],
    ];
    expect(entries.flatMap(([, fields]) => fields)).toContain("mine");
    await expect.poll(() => other.get("mine")).toBe("during");
  });

  it("serves no hit once the bound is over while no look is answered", async () => {
    const slow = await startFaultProxy(server);
    const cache = connect(tcpTransport({ url: `redis://127.0.0.1:${slow.port}` }), "300ms");
    await direct.send([["SET", "silent", "1"]]);
    await hold(cache, "silent");
    slow.set({ kind: "half-open", lost: "replies" });
    await direct.send([["SET", "silent", "2"]]);
    const changedMs = performance.now();
    let last = changedMs;
    await expect
      .poll(async () => {
        const startedMs = performance.now();
        if (cache.peek("silent") === 1) last = startedMs;
        return startedMs - changedMs;
      })
      .toBeGreaterThan(1_000);
    expect(last - changedMs).toBeLessThanOrEqual(300);
    await expect(cache.get("silent", { timeout: "200ms" })).rejects.toMatchObject({ kind: "timeout" });
    expect(cache.peek("silent")).toBeUndefined();
    slow.set({ kind: "pass" });
    slow.cut();
    await expect.poll(() => cache.get("silent").catch(() => {})).toBe(2);
    await slow.close();
  });

  it("counts the age of a hit by the clock that has gone further", async () => {
    const cache = connect(tcpTransport({ url: server.url }));
    await cache.set("clock", 1);
    await hold(cache, "clock");
    const { now } = Date;
    const wall = vi.spyOn(Date, "now").mockImplementation(() => now() + 3_600_001);
    expect(cache.peek("clock")).toBeUndefined();
    wall.mockImplementation(() => now() - 3_600_001);
    expect(cache.peek("clock")).toBe(1);
    const monotonic = performance.now();
    const perf = vi.spyOn(performance, "now").mockReturnValue(monotonic + 3_600_001);
    expect(cache.peek("clock")).toBeUndefined();
    perf.mockRestore();
    wall.mockRestore();
  });

  it("does not wait for the look of another call beyond the deadline of its own", async () => {
    const inner = tcpTransport({ url: server.url });
    const transport: Transport = {
      ...inner,
      send: (commands, options) =>
        commands[0]?.[0] === "XRANGE" ? new Promise(() => {}) : inner.send(commands, options),
    };
    const cache = connect(transport, "20ms", "1m");
    await cache.set("look", 1);
    await cache.get("look");
    await expect.poll(() => cache.get("look", { near: false }).then(() => cache.stats().near?.syncs)).toBe(1);
    await cache.get("look", { timeout: "300ms" });
    const patient = cache.get("look");
    expect(await cache.get("look", { timeout: "300ms" })).toBe(1);
    expect(await cache.get("look", { timeout: "300ms", signal: new AbortController().signal })).toBe(1);
    patient.catch(() => {});
  });

  it("takes over the look of a request that has vanished", async () => {
    vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
    const inner = tcpTransport({ url: server.url });
    let isVanishing = false;
    const transport: Transport = {
      ...inner,
      send(commands, options) {
        if (!isVanishing || commands[0]?.[0] !== "XRANGE") return inner.send(commands, options);
        isVanishing = false;
        return new Promise(() => {});
      },
    };
    const cache = connect(transport, "100ms", "1m");
    await cache.set("vanished", 1);
    await hold(cache, "vanished");
    await new Promise((resolve) => setTimeout(resolve, 120));
    const { setTimeout: real } = globalThis;
    isVanishing = true;
    // The timers of its request are gone with it, and its continuations.
    Object.assign(globalThis, { setTimeout: Object.assign(() => 0, real) });
    void cache.get("vanished");
    await Promise.resolve();
    Object.assign(globalThis, { setTimeout: real });
    // Only a look can answer this one: the minute of a call is not over.
    const syncs = cache.stats().near?.syncs ?? 0;
    expect(await cache.get("vanished")).toBe(1);
    expect(cache.stats().near?.syncs).toBe(syncs + 1);
    vi.unstubAllGlobals();
  });

  it("sends nothing while it is not used", async () => {
    const cache = connect(tcpTransport({ url: server.url }), "20ms");
    await cache.set("idle", 1);
    await hold(cache, "idle");
    const counts = await commandCounts(direct);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await counts()).toEqual({});
  });
});
