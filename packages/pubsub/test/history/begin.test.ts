import { startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { closing, servers } from "@continuum-cache/fixtures";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Gap, PubSub, type PubSubOptions } from "../../src/index.ts";

const opened = closing();
afterEach(() => vi.useRealTimers());

const key = "continuum-cache:history:c";
const eventually = <T>(attempt: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(attempt, { timeout: 60_000, interval: 5 });

/** A subscriber behind a proxy, and a publisher past it. */
async function stage(user = "", options: PubSubOptions = {}) {
  const users = ["reader on >secret allchannels ~* +@all -@write -@scripting +publish"];
  const redis = opened(await startRedisServer({ appendonly: true, users }));
  const proxy = opened(await startFaultProxy({ port: redis.port }));
  const transport = opened(tcpTransport({ url: `redis://${user}127.0.0.1:${proxy.port}` }));
  const subscriber = opened(new PubSub({ transport }, { maxReconnectWait: "50ms", ...options }));
  const publisher = opened(new PubSub({ transport: opened(tcpTransport({ url: redis.url })) }));
  const heard: unknown[] = [];
  const gaps: Gap[] = [];
  const states: string[] = [];
  subscriber.on("message", ({ data }) => heard.push(data));
  subscriber.on("gap", (gap) => gaps.push(gap));
  subscriber.on("connection", ({ state }) => states.push(state));
  return {
    redis,
    subscriber,
    heard,
    gaps,
    publish: (data: unknown) => publisher.publish("c", data, { replay: true }),
    /** Breaks the stream, and lets it come back when the work is done. */
    async broken(work: () => Promise<unknown>) {
      proxy.set({ kind: "refuse" });
      proxy.cut();
      await eventually(() => expect(states.at(-1)).toBe("disconnected"));
      await work();
      proxy.set({ kind: "pass" });
      await eventually(() => expect(states.at(-1)).toBe("connected"));
    },
  };
}

describe("a break before the first message", () => {
  it("is no gap when the history shows that nothing is missing", async () => {
    const { subscriber, heard, gaps, publish, broken } = await stage();
    await subscriber.subscribe("c", { replay: true });
    await broken(() => publish("first"));
    await eventually(() => expect(heard).toEqual(["first"]));
    await publish("second");
    await eventually(() => expect(heard).toEqual(["first", "second"]));
    expect(gaps).toEqual([]);
  });

  it("is no gap, however many there are, with a restart of the server and with nothing published", async () => {
    const { redis, subscriber, heard, gaps, publish, broken } = await stage();
    await subscriber.subscribe("c", { replay: true });
    await broken(async () => {});
    await broken(async () => {
      await redis.kill();
      await redis.restart();
    });
    await broken(async () => {});
    await eventually(() => publish("first"));
    await eventually(() => expect(heard).toEqual(["first"]));
    expect(gaps).toEqual([]);
  });

  it("counts exactly what was published and trimmed meanwhile", async () => {
    const { redis, subscriber, heard, gaps, publish, broken } = await stage();
    await subscriber.subscribe("c", { replay: true });
    await broken(async () => {
      for (let count = 0; count < 5; count++) await publish(count);
      await redis.command("XTRIM", key, "MAXLEN", "2");
    });
    await eventually(() => expect(heard).toEqual([3, 4]));
    expect(gaps).toMatchObject([{ channel: "c", reason: "trimmed", missed: 3 }]);
  });

  it("may be a gap to one who may only read, and could not begin the history", async () => {
    const { subscriber, heard, gaps, publish, broken } = await stage("reader:secret@");
    await subscriber.subscribe("c", { replay: true });
    await broken(() => publish("first"));
    await eventually(() => expect(heard).toEqual(["first"]));
    expect(gaps).toMatchObject([{ channel: "c", reason: "interrupted" }]);
    expect(gaps[0]?.missed).toBeUndefined();
    await broken(() => publish("second"));
    await eventually(() => expect(heard).toEqual(["first", "second"]));
    expect(gaps).toHaveLength(1);
  });
});

describe.each(servers)("a channel without messages ($name)", (backend) => {
  it("has a place to resume at, in another process too", async () => {
    const server = opened(await backend.open());
    const [one, other] = [0, 1].map(() => new PubSub({ transport: server.connect() })) as [PubSub, PubSub];
    opened(other);
    const { position } = await one.subscribe("c", { replay: true });
    expect(position).toEqual({ epoch: expect.any(Number), seq: -1 });
    await one.close();
    await other.publish("c", "meanwhile", { replay: true });
    const seen: unknown[] = [];
    const subscription = await other.subscribe("c", {
      replay: true,
      after: position as NonNullable<typeof position>,
      onMessage: ({ data }) => void seen.push(data),
      onGap: (gap) => void seen.push(gap),
    });
    await eventually(() => expect(seen).toEqual(["meanwhile"]));
    expect(subscription.position).toMatchObject({ epoch: position?.epoch, seq: 0 });
  });

  it("costs its first subscriber a few commands, and the others one", async () => {
    const server = opened(await backend.open());
    const { redis } = server;
    if (!redis) throw new Error("Expected a server that counts");
    const count = async (): Promise<number> => {
      await redis.resetStats();
      const pubsub = opened(new PubSub({ transport: server.connect() }));
      await pubsub.subscribe("c", { replay: true, onMessage: () => {} });
      const stats = Object.entries(await redis.commandStats());
      const isCounted = (name: string): boolean => /^(x|evalsha|pexpire|pttl|time)/.test(name);
      return stats.reduce((sum, [name, calls]) => sum + (isCounted(name) ? calls : 0), 0);
    };
    expect(await count()).toBeLessThanOrEqual(8);
    expect(await count()).toBe(1);
  });
});

describe("a history that is listened to", () => {
  it("does not end while nothing is published, so that a later break is no loss", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const { redis, subscriber, gaps, publish, broken } = await stage();
    await subscriber.subscribe("c", { replay: { age: "1h" } });
    const left = async (): Promise<number> => Number(await redis.command("PTTL", key));
    expect(await left()).toBeGreaterThan(86_400_000);
    await redis.command("PEXPIRE", key, "60000");
    vi.advanceTimersByTime(12 * 3_600_000);
    await eventually(async () => expect(await left()).toBeGreaterThan(86_400_000));
    await publish("one");
    await publish("two");
    await redis.command("PEXPIRE", key, "60000");
    vi.advanceTimersByTime(12 * 3_600_000);
    await eventually(async () => expect(await left()).toBeGreaterThan(86_400_000));
    expect(await redis.command("XLEN", key)).toBe(2);
    await broken(async () => {});
    expect(gaps).toEqual([]);
  });

  it("keeps no more than the last message that is past its age", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const { redis, subscriber, heard, publish } = await stage();
    await subscriber.subscribe("c", { replay: { age: "1ms" } });
    for (const data of [1, 2, 3]) await publish(data);
    await eventually(() => expect(heard).toEqual([1, 2, 3]));
    vi.advanceTimersByTime(12 * 3_600_000);
    await eventually(async () => expect(await redis.command("XLEN", key)).toBe(1));
  });
});
