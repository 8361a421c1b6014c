import {
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import type { Transport } from "@continuum-cache/core";
import { closing } from "@continuum-cache/fixtures";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { describe, expect, it, vi } from "vitest";
import { type ConnectionChange, type Gap, PubSub, type PubSubOptions } from "../src/index.ts";

const opened = closing();

const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 60_000, interval: 5 });

/** A listener behind a proxy, and a publisher past it. */
interface Scene {
  readonly redis: RedisServer;
  readonly proxy: FaultProxy;
  readonly publisher: PubSub;
  readonly subscriber: PubSub;
  readonly gaps: Gap[];
  readonly heard: unknown[];
  readonly connection: ConnectionChange[];
}

const ways: Readonly<Record<string, (port: number) => Transport>> = {
  "Redis protocol": (port) => tcpTransport({ url: `redis://127.0.0.1:${port}` }),
  REST: (port) => restTransport({ url: `http://127.0.0.1:${port}`, token: "test" }),
};

async function stage(way: string, options: { appendonly?: boolean } & PubSubOptions = {}): Promise<Scene> {
  const { appendonly = false, ...own } = options;
  const redis = opened(await startRedisServer({ appendonly }));
  const gateway = opened(await startUpstashLocal({ port: 0, token: "test", redisUrl: redis.url }));
  const proxy = opened(
    await startFaultProxy({ port: way === "REST" ? Number(new URL(gateway.url).port) : redis.port }),
  );
  const connect = ways[way] as (port: number) => Transport;
  const publisher = opened(new PubSub({ transport: opened(tcpTransport({ url: redis.url })) }));
  const subscriber = opened(
    new PubSub({ transport: opened(connect(proxy.port)) }, { maxReconnectWait: "200ms", ...own }),
  );
  const scene = {
    redis,
    proxy,
    publisher,
    subscriber,
    gaps: [] as Gap[],
    heard: [] as unknown[],
    connection: [] as ConnectionChange[],
  };
  subscriber.on("gap", (gap) => scene.gaps.push(gap));
  subscriber.on("message", ({ data }) => scene.heard.push(data));
  subscriber.on("connection", (change) => scene.connection.push(change));
  return scene;
}

const states = ({ connection }: Scene): string[] => connection.map(({ state }) => state);

describe.each(Object.keys(ways))("an interruption over %s", (way) => {
  it("of a volatile channel is told as a gap that holds what was lost, and listening goes on", async () => {
    const scene = await stage(way);
    await scene.subscriber.subscribe(["a", "b"]);
    await scene.publisher.publish("a", 1);
    await until(() => scene.heard.length === 1);
    scene.proxy.set({ kind: "refuse" });
    scene.proxy.cut();
    await until(() => states(scene).at(-1) === "disconnected");
    const lostAt = Date.now();
    await scene.publisher.publish("a", 2);
    scene.proxy.set({ kind: "pass" });
    await until(() => scene.gaps.length === 2);
    await scene.publisher.publish("a", 3);
    await until(() => scene.heard.length === 2);
    expect(scene.heard).toEqual([1, 3]);
    expect(scene.gaps.map(({ channel }) => channel).sort()).toEqual(["a", "b"]);
    for (const { from, to, missed, reason } of scene.gaps) {
      expect(reason).toBe("interrupted");
      expect(missed).toBeUndefined();
      expect(from.getTime()).toBeLessThanOrEqual(lostAt);
      expect(to.getTime()).toBeGreaterThanOrEqual(lostAt);
    }
  });

  it("of a replay channel is repaired, and nothing is told since nothing is missing", async () => {
    const scene = await stage(way);
    await scene.subscriber.subscribe("c", { replay: true });
    for (let count = 0; count < 10; count++) await scene.publisher.publish("c", count, { replay: true });
    scene.proxy.set({ kind: "refuse" });
    scene.proxy.cut();
    await until(() => states(scene).at(-1) === "disconnected");
    for (let count = 10; count < 200; count++) await scene.publisher.publish("c", count, { replay: true });
    scene.proxy.set({ kind: "pass" });
    for (let count = 200; count < 220; count++) await scene.publisher.publish("c", count, { replay: true });
    await until(() => scene.heard.length >= 220);
    expect(scene.heard).toEqual(Array.from({ length: 220 }, (_, count) => count));
    expect(scene.gaps).toEqual([]);
  });

  it("that outlasts the history is told with the exact count", async () => {
    const scene = await stage(way);
    const replay = { count: 5, age: "1h" } as const;
    await scene.subscriber.subscribe("c", { replay });
    await scene.publisher.publish("c", 0, { replay });
    await until(() => scene.heard.length === 1);
    scene.proxy.set({ kind: "refuse" });
    scene.proxy.cut();
    await until(() => states(scene).at(-1) === "disconnected");
    for (let count = 1; count <= 1_000; count++) await scene.publisher.publish("c", count, { replay });
    scene.proxy.set({ kind: "pass" });
    await until(() => scene.heard.at(-1) === 1_000);
    expect(scene.gaps).toHaveLength(1);
    expect(scene.gaps[0]).toMatchObject({ channel: "c", reason: "trimmed", missed: 1_001 - scene.heard.length });
  });

  it("by a server that has lost everything begins a new epoch, and says that the end of the old one is unknown", async () => {
    const scene = await stage(way);
    await scene.subscriber.subscribe("c", { replay: true });
    await scene.publisher.publish("c", "old", { replay: true });
    await until(() => scene.heard.length === 1);
    await scene.redis.kill();
    await until(() => states(scene).at(-1) === "disconnected");
    await scene.redis.restart();
    await vi.waitFor(() => scene.publisher.publish("c", "new", { replay: true }), { timeout: 60_000 });
    await until(() => scene.heard.at(-1) === "new");
    await until(() => scene.gaps.length > 0);
    expect(scene.gaps).toMatchObject([{ channel: "c", reason: "lost" }]);
    expect(scene.gaps[0]?.missed).toBeUndefined();
  });

  it.each([undefined, "beginning"] as const)(
    "before the first message tells that there may have been others (after: %s)",
    async (after) => {
      const scene = await stage(way);
      await scene.subscriber.subscribe("c", { replay: true, ...(after && { after }) });
      scene.proxy.set({ kind: "refuse" });
      scene.proxy.cut();
      await until(() => states(scene).at(-1) === "disconnected");
      await scene.publisher.publish("c", "lost", { replay: true });
      await scene.redis.command("FLUSHALL");
      scene.proxy.set({ kind: "pass" });
      await until(() => states(scene).at(-1) === "connected");
      await scene.publisher.publish("c", "first", { replay: true });
      await until(() => scene.heard.length > 0);
      await scene.publisher.publish("c", "second", { replay: true });
      await until(() => scene.heard.length > 1);
      expect(scene.heard).toEqual(["first", "second"]);
      expect(scene.gaps).toMatchObject([{ channel: "c", reason: "interrupted" }]);
      expect(scene.gaps[0]?.missed).toBeUndefined();
    },
  );

  it("by a server that kept everything loses nothing", async () => {
    const scene = await stage(way, { appendonly: true });
    await scene.subscriber.subscribe("c", { replay: true });
    await scene.publisher.publish("c", "before", { replay: true });
    await scene.redis.kill();
    await scene.redis.restart();
    await vi.waitFor(() => scene.publisher.publish("c", "after", { replay: true }), { timeout: 60_000 });
    await until(() => scene.heard.includes("after"));
    expect(scene.heard).toEqual(["before", "after"]);
    expect(scene.gaps).toEqual([]);
  });

  it("that comes again as soon as it is over is met with more and more patience", async () => {
    const scene = await stage(way, { maxReconnectWait: "5s" });
    await scene.subscriber.subscribe("c");
    const stop = scene.subscriber.on("connection", ({ state }) => {
      if (state === "connected") setImmediate(scene.proxy.cut);
    });
    scene.proxy.cut();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    // Without patience it would be hundreds.
    expect(states(scene).filter((state) => state === "connected").length).toBeLessThan(40);
    stop();
    await scene.publisher.publish("c", "still there");
    await vi.waitFor(async () => expect((await scene.publisher.publish("c", "again")).receivers).toBe(1), {
      timeout: 60_000,
    });
    await until(() => scene.heard.includes("again"));
  });

  it("that nobody is told of is noticed by the watchdog", async () => {
    const scene = await stage(way);
    const { redis, proxy, publisher } = scene;
    const connect = ways[way] as (port: number) => Transport;
    const gateway = opened(await startUpstashLocal({ port: 0, token: "test", redisUrl: redis.url }));
    const commands = opened(connect(way === "REST" ? Number(new URL(gateway.url).port) : redis.port));
    const { subscribe } = opened(connect(proxy.port)) as Required<Transport>;
    // Long enough for a proof to come back on a busy machine: another break would be another gap.
    const timing = { watchdog: "200ms", probeTimeout: "1500ms", timeout: "3s", maxReconnectWait: "100ms" } as const;
    const subscriber = opened(new PubSub({ transport: { ...commands, subscribe } }, timing));
    const heard: unknown[] = [];
    subscriber.on("gap", (gap) => scene.gaps.push(gap));
    subscriber.on("connection", (change) => scene.connection.push(change));
    subscriber.on("message", ({ data }) => heard.push(data));
    await subscriber.subscribe("volatile");
    await subscriber.subscribe("replayed", { replay: true });
    await publisher.publish("replayed", "before", { replay: true });
    await until(() => heard.length === 1);

    proxy.set({ kind: "half-open", lost: "replies" });
    await publisher.publish("volatile", "lost");
    await publisher.publish("replayed", "kept", { replay: true });
    await until(() => states(scene).at(-1) === "disconnected");
    expect(heard).toEqual(["before"]);
    proxy.set({ kind: "pass" });
    await until(() => scene.gaps.length > 0 && heard.length > 1);
    expect(scene.gaps).toMatchObject([{ channel: "volatile", reason: "interrupted" }]);
    expect(heard).toEqual(["before", "kept"]);
  });
});
