import { closing, type RedisServer, startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { WebSocketBridgeOptions } from "../../src/websocket.ts";
import { type BridgeServer, startBridge } from "./ws-server.ts";

const opened = closing(afterEach);
let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.close());
beforeEach(() => redis.command("FLUSHALL"));

const start = async (options: Partial<WebSocketBridgeOptions<string>> = {}, url = redis.url): Promise<BridgeServer> =>
  opened(await startBridge(tcpTransport({ url }), options));

const until = async (done: () => boolean): Promise<void> => {
  for (const startMs = Date.now(); !done(); ) {
    if (Date.now() - startMs > 60_000) throw new Error("Gave up waiting");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);
const numbersOf = (data: unknown[]): number[] => data.map((each) => (each as { n: number }).n);
const wide = "x".repeat(8_000);

/** Publishes so many wide messages, a few at a time. */
async function publishWide({ pubsub }: BridgeServer, channel: string, from: number, to: number, replay: boolean) {
  for (let n = from; n < to; n += 20) {
    const some = numbers(n, Math.min(to, n + 20));
    await Promise.all(
      some.map((each) => pubsub.publish(channel, { n: each, wide }, replay ? { replay: { count: 5_000 } } : {})),
    );
  }
}

describe("a WebSocket", () => {
  it("hears what is published on the channels that are its own, and no others", async () => {
    const server = await start({ authorize: async (channel, name) => channel === `user:${name}` });
    const [ada, bob] = [await server.connect("ada"), await server.connect("bob")];
    expect(await ada.subscribe("user:ada")).toEqual({ type: "subscribed", channel: "user:ada" });
    expect(await bob.subscribe("user:ada")).toMatchObject({ type: "error", code: "forbidden" });
    expect(await bob.subscribe("user:bob")).toMatchObject({ type: "subscribed" });
    await server.pubsub.publish("user:ada", { for: "ada" });
    await server.pubsub.publish("user:bob", { for: "bob" });
    await ada.until(() => ada.data().length > 0);
    await bob.until(() => bob.data().length > 0);
    expect([ada.data(), bob.data()]).toEqual([[{ for: "ada" }], [{ for: "bob" }]]);
    ada.say({ type: "ping" });
    await ada.until((frames) => frames.at(-1)?.type === "pong");
    expect(server.bridge.stats()).toMatchObject({ clients: 2, channels: 2, subscriptions: 2, lagging: 0 });
  });

  it("is one of many that cost one subscription of the server", async () => {
    const server = await start();
    const clients = await Promise.all(numbers(0, 20).map(() => server.connect()));
    await Promise.all(clients.map((client) => client.subscribe("news")));
    expect(await redis.command("PUBSUB", "NUMSUB", "news")).toEqual(["news", 1]);
    await server.pubsub.publish("news", "all");
    for (const client of clients) await client.until(() => client.data().length === 1);
    for (const client of clients) client.drop();
    await until(() => server.bridge.clients === 0);
    expect(server.bridge.stats()).toMatchObject({ channels: 0, subscriptions: 0 });
  });

  it("resumes at another server behind the last message that it got, and hears what comes live then", async () => {
    const [one, other] = [await start({ replay: () => true }), await start({ replay: () => true })];
    const first = await one.connect();
    await first.subscribe("orders");
    for (const n of numbers(0, 5)) await one.pubsub.publish("orders", { n }, { replay: true });
    await first.until(() => first.data().length === 5);
    const { position } = first.frames.at(-1) ?? {};
    first.drop();
    for (const n of numbers(5, 150)) await one.pubsub.publish("orders", { n }, { replay: true });
    const second = await other.connect();
    expect(await second.subscribe("orders", position)).toEqual({ type: "subscribed", channel: "orders", position });
    for (const n of numbers(150, 160)) await one.pubsub.publish("orders", { n }, { replay: true });
    await second.until(() => second.data().length === 155);
    expect(numbersOf(second.data())).toEqual(numbers(5, 160));
    expect(second.missed()).toBe(0);
    expect(other.bridge.stats().catchingUp).toBe(0);
  });

  it("gets a gap with the number of messages that its history no longer has", async () => {
    const server = await start({ replay: () => ({ count: 10 }) });
    for (const n of numbers(0, 400)) await server.pubsub.publish("short", { n }, { replay: { count: 10 } });
    const client = await server.connect();
    const stored = await redis.command("XLEN", (await keysLike("short")) as string);
    const epoch = await epochOf("short");
    await client.subscribe("short", { epoch, seq: 3 });
    await client.until(() => numbersOf(client.data()).at(-1) === 399);
    expect(client.data().length + client.missed()).toBe(396);
    expect(client.data().length).toBe(stored);
  });

  it("gets a gap when the server's own connection was interrupted", async () => {
    const proxy = opened(await startFaultProxy({ port: redis.port }));
    const server = await start({}, `redis://127.0.0.1:${proxy.port}`);
    const client = await server.connect();
    await client.subscribe("news");
    proxy.cut();
    await client.until((frames) => frames.some(({ type }) => type === "gap"));
    const gap = client.frames.at(-1);
    expect(gap).toMatchObject({ channel: "news", reason: "interrupted" });
    expect(Date.parse(String(gap?.["to"]))).toBeGreaterThanOrEqual(Date.parse(String(gap?.["from"])));
    await server.pubsub.publish("news", "again");
    await client.until(() => client.data().includes("again"));
  });

  it("gets `unavailable` while the server does not answer", async () => {
    const proxy = opened(await startFaultProxy({ port: redis.port }));
    proxy.set({ kind: "refuse" });
    const errors: unknown[] = [];
    const server = await start({ onError: (error) => errors.push(error) }, `redis://127.0.0.1:${proxy.port}`);
    const client = await server.connect();
    expect(await client.subscribe("news")).toMatchObject({ type: "error", code: "unavailable", channel: "news" });
    expect(errors).toHaveLength(1);
    expect(server.bridge.stats()).toMatchObject({ channels: 0, subscriptions: 0 });
  });

  it("is closed with 1001 when the bridge closes, also one that doesn't read, and nothing is left", async () => {
    const server = await start({ replay: () => true });
    const [client, frozen] = [await server.connect(), await server.connect()];
    await client.subscribe("news");
    await frozen.subscribe("news");
    frozen.freeze();
    await server.bridge.close();
    expect(await client.closed).toBe(1001);
    expect(server.bridge.stats()).toMatchObject({ clients: 0, channels: 0, subscriptions: 0, bufferedBytes: 0 });
  });
});

describe("a client that doesn't read", () => {
  const limits = { maxBufferedBytes: 65_536, heartbeat: false } as const;

  it("does not slow down others, stays within its bound, and misses nothing of a history when it goes on", async () => {
    const server = await start({ ...limits, replay: () => ({ count: 5_000 }) });
    const [frozen, healthy] = [await server.connect(), await server.connect()];
    await frozen.subscribe("orders");
    await healthy.subscribe("orders");
    frozen.freeze();
    let most = 0;
    for (let n = 0; n < 1_600; n += 100) {
      await publishWide(server, "orders", n, n + 100, true);
      most = Math.max(most, server.bridge.stats().bufferedBytes);
    }
    await healthy.until(() => healthy.data().length === 1_600);
    await until(() => server.bridge.stats().lagging === 1);
    expect(most).toBeLessThanOrEqual(2 * 65_536);
    frozen.thaw();
    await frozen.until(() => frozen.data().length >= 1_600);
    expect(numbersOf(frozen.data())).toEqual(numbers(0, 1_600));
    expect(numbersOf(healthy.data())).toEqual(numbers(0, 1_600));
    expect(frozen.missed()).toBe(0);
    await server.pubsub.publish("orders", { n: 1_600 }, { replay: true });
    await frozen.until(() => frozen.data().length === 1_601);
    expect(server.bridge.stats()).toMatchObject({ lagging: 0, tooSlow: 0 });
  });

  it("gets a gap with the number of missed messages where there is no history", async () => {
    const server = await start(limits);
    const [frozen, healthy] = [await server.connect(), await server.connect()];
    await frozen.subscribe("prices");
    await healthy.subscribe("prices");
    frozen.freeze();
    await publishWide(server, "prices", 0, 1_500, false);
    await healthy.until(() => healthy.data().length === 1_500);
    expect(server.bridge.stats().lagging).toBe(1);
    frozen.thaw();
    await frozen.until((frames) => frames.some(({ type }) => type === "gap"));
    await server.pubsub.publish("prices", { n: 1_500 });
    await frozen.until(() => numbersOf(frozen.data()).at(-1) === 1_500);
    expect(frozen.data().length + frozen.missed()).toBe(1_501);
    expect(frozen.frames.filter(({ type }) => type === "gap")).toMatchObject([{ reason: "slow", channel: "prices" }]);
  });

  it("is closed when it does not drain in time, and resumes where it was", async () => {
    const server = await start({ ...limits, patience: "300ms", replay: () => ({ count: 5_000 }) });
    const frozen = await server.connect();
    await frozen.subscribe("orders");
    frozen.freeze();
    await publishWide(server, "orders", 0, 1_500, true);
    await until(() => server.bridge.stats().tooSlow === 1);
    await until(() => server.bridge.clients === 0);
    frozen.thaw();
    await frozen.closed;
    const got = frozen.data().length;
    const again = await server.connect();
    await again.subscribe("orders", frozen.frames.filter(({ type }) => type === "message").at(-1)?.position);
    await again.until(() => again.data().length === 1_500 - got);
    expect([...numbersOf(frozen.data()), ...numbersOf(again.data())]).toEqual(numbers(0, 1_500));
  });

  it("is closed before answers to further requests pile up", async () => {
    const server = await start({ ...limits, maxFramesPerSecond: 1_000_000 });
    const frozen = await server.connect();
    await frozen.subscribe("prices");
    frozen.freeze();
    await publishWide(server, "prices", 0, 1_500, false);
    expect(server.bridge.stats().lagging).toBe(1);
    for (let asked = 0; asked < 2_000 && server.bridge.clients > 0; asked++) {
      for (const _ of numbers(0, 20)) frozen.say({ type: "unsubscribe", channel: "c".repeat(250) });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => server.bridge.stats().tooSlow === 1);
  });

  it("is ended when it gives no sign of life, with nothing to send either", async () => {
    const server = await start({ heartbeat: "2s" });
    const [dead, alive] = [await server.connect(), await server.connect()];
    dead.freeze();
    await until(() => server.bridge.stats().dead === 1);
    alive.say({ type: "ping" });
    await alive.until((frames) => frames.at(-1)?.type === "pong");
    expect(server.bridge.clients).toBe(1);
  });
});

describe("a slow reader", () => {
  it("gets all of a history at its own pace", async () => {
    const server = await start({ maxBufferedBytes: 65_536, heartbeat: false, replay: () => ({ count: 5_000 }) });
    const slow = await server.connect();
    await slow.subscribe("orders");
    let reading = true;
    const pace = (async () => {
      while (reading) {
        slow.freeze();
        await new Promise((resolve) => setTimeout(resolve, 20));
        slow.thaw();
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    await publishWide(server, "orders", 0, 1_500, true);
    await slow.until(() => slow.data().length >= 1_500);
    reading = false;
    await pace;
    expect(numbersOf(slow.data())).toEqual(numbers(0, 1_500));
  });
});

describe("over REST", () => {
  it("hears, resumes and misses nothing, as over TCP", async () => {
    const local = opened(await startUpstashLocal({ port: 0, token: "local", redisUrl: redis.url }));
    const rest = () => restTransport({ url: local.url, token: "local" });
    const server = opened(await startBridge(rest(), { replay: (channel) => channel === "orders" }));
    const client = await server.connect();
    await client.subscribe("orders");
    await client.subscribe("news, and more");
    await server.pubsub.publish("news, and more", "€\n");
    await server.pubsub.publish("orders", { n: 0 }, { replay: true });
    await client.until(() => client.data().length === 2);
    const position = client.frames.find((frame) => frame.type === "message" && frame.channel === "orders")?.position;
    client.drop();
    await server.pubsub.publish("orders", { n: 1 }, { replay: true });
    const again = await server.connect();
    await again.subscribe("orders", position);
    await again.until(() => again.data().length === 1);
    expect([client.data("news, and more"), again.data()]).toEqual([["€\n"], [{ n: 1 }]]);
  });
});

/** The stream in which a channel's history is. */
async function keysLike(part: string): Promise<string | undefined> {
  const keys = (await redis.command("KEYS", `*${part}*`)) as string[];
  for (const key of keys) if ((await redis.command("TYPE", key)) === "stream") return key;
  return undefined;
}

async function epochOf(channel: string): Promise<number> {
  const [[id]] = (await redis.command("XREVRANGE", (await keysLike(channel)) as string, "+", "-", "COUNT", 1)) as [
    [string],
  ];
  return Number(id.split("-")[0]);
}
