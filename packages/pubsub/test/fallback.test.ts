import { type RedisServer, startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { guarded, type Transport } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { closing } from "@continuum-cache/fixtures";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { describe, expect, it, vi } from "vitest";
import { type Gap, type Message, PubSub } from "../src/index.ts";

const opened = closing();

const eventually = <T>(attempt: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(attempt, { timeout: 60_000, interval: 5 });
const until = (condition: () => boolean): Promise<void> => eventually(() => expect(condition()).toBe(true));

const ways: Readonly<
  Record<string, (redis: RedisServer) => Promise<{ port: number; connect(port: number): Transport }>>
> = {
  "Redis protocol": async (redis) => ({
    port: redis.port,
    connect: (port) => tcpTransport({ url: `redis://127.0.0.1:${port}` }),
  }),
  REST: async (redis) => {
    const gateway = opened(await startUpstashLocal({ port: 0, token: "test", redisUrl: redis.url }));
    const connect = (port: number) => restTransport({ url: `http://127.0.0.1:${port}`, token: "test" });
    return { port: Number(new URL(gateway.url).port), connect };
  },
};

/** A process with a fallback, behind a proxy; and another that reaches the server directly. */
async function stage(way: string) {
  const redis = opened(await startRedisServer());
  const { port, connect } = await (ways[way] as (typeof ways)[string])(redis);
  const proxy = opened(await startFaultProxy({ port }));
  const primary = guarded(connect(proxy.port), { timeout: "1s", breaker: false });
  const transport = opened(withFallback(primary, memoryTransport(), { healthCheckInterval: "100ms" }));
  const here = opened(new PubSub({ transport }, { maxReconnectWait: "50ms" }));
  const elsewhere = opened(new PubSub({ transport: opened(tcpTransport({ url: redis.url })) }));
  const heard: Message[] = [];
  const gaps: Gap[] = [];
  here.on("message", (message) => heard.push(message));
  here.on("gap", (gap) => gaps.push(gap));
  const isLocal = (): boolean => transport.status?.currentBackend === "local";
  return {
    proxy,
    here,
    elsewhere,
    heard,
    gaps,
    data: () => heard.map(({ data, degraded }) => [data, degraded ?? false]),
    async away() {
      proxy.set({ kind: "refuse" });
      proxy.cut();
      await transport.send([["PING"]]);
      await until(isLocal);
    },
    async back() {
      proxy.set({ kind: "pass" });
      await until(() => !isLocal());
    },
  };
}

describe.each(Object.keys(ways))("while the primary is away (%s)", (way) => {
  it("what is published here is heard here, marked as degraded, and the return is told as a gap", async () => {
    const { here, elsewhere, data, gaps, away, back } = await stage(way);
    await here.subscribe("c");
    await elsewhere.publish("c", 1);
    await until(() => data().length === 1);
    await away();
    await eventually(async () => expect(await here.publish("c", 2)).toMatchObject({ receivers: 1, degraded: true }));
    await until(() => data().length === 2);
    const lostAt = Date.now();
    await elsewhere.publish("c", "not heard here");
    await back();
    await until(() => gaps.length > 0);
    await eventually(async () => expect((await elsewhere.publish("c", 3)).receivers).toBe(1));
    await until(() => data().length >= 3);
    expect(data()).toEqual([
      [1, false],
      [2, true],
      [3, false],
    ]);
    expect(gaps).toMatchObject([{ channel: "c", reason: "interrupted" }]);
    expect(gaps[0]?.from.getTime()).toBeLessThanOrEqual(lostAt);
    expect(gaps[0]?.to.getTime()).toBeGreaterThanOrEqual(lostAt);
  });

  it("a replay channel is heard here without a place, and repaired afterwards", async () => {
    const { here, elsewhere, heard, data, gaps, away, back } = await stage(way);
    await here.subscribe("c", { replay: true });
    await here.publish("c", 1, { replay: true });
    await until(() => data().length === 1);
    await away();
    await eventually(async () => {
      expect(await here.publish("c", 2, { replay: true })).toMatchObject({ receivers: 1, degraded: true });
    });
    await elsewhere.publish("c", 3, { replay: true });
    await expect(here.publish("c", 4, { replay: true, fallback: false })).rejects.toMatchObject({
      kind: expect.any(String),
    });
    await back();
    await until(() => data().some(([value]) => value === 3));
    expect(data()).toEqual([
      [1, false],
      [2, true],
      [3, false],
    ]);
    expect(heard.map(({ position }) => position?.seq)).toEqual([0, undefined, 1]);
    expect(gaps).toEqual([]);
  });

  it("a message whose answer was lost is heard once by everybody, whatever its publisher was told", async () => {
    const { here, elsewhere, data, proxy, back } = await stage(way);
    const there: unknown[] = [];
    await here.subscribe("c", { replay: true });
    await elsewhere.subscribe("c", { replay: true, onMessage: (message) => void there.push(message.data) });
    await here.publish("c", 1, { replay: true });
    await until(() => data().length === 1);
    proxy.set({ kind: "half-open", lost: "replies" });
    const published = await here.publish("c", 2, { replay: true, timeout: "1s" });
    proxy.cut();
    await back();
    await here.publish("c", 3, { replay: true, fallback: false });
    await until(() => there.includes(3) && data().some(([value]) => value === 3));
    expect(there).toEqual([1, 2, 3]);
    expect(data().map(([value]) => value)).toEqual([1, 2, 3]);
    expect(published.position !== undefined || published.degraded).toBe(true);
  });

  it("who begins to listen hears this process, and everybody once the primary is back", async () => {
    const { here, elsewhere, data, gaps, away, back } = await stage(way);
    await away();
    await here.subscribe("volatile");
    await here.subscribe("replayed", { replay: true });
    await here.publish("volatile", 1);
    await here.publish("replayed", 2, { replay: true });
    await until(() => data().length === 2);
    await back();
    await eventually(async () => expect((await elsewhere.publish("volatile", 3)).receivers).toBe(1));
    await until(() => gaps.length === 2);
    await elsewhere.publish("replayed", 4, { replay: true });
    await until(() => data().length >= 4);
    expect(data()).toEqual([
      [1, true],
      [2, true],
      [3, false],
      [4, false],
    ]);
    expect(gaps.map(({ channel, reason }) => [channel, reason]).sort()).toEqual([
      ["replayed", "interrupted"],
      ["volatile", "interrupted"],
    ]);
  });

  it("who begins with all that is kept is told of the time in which some of it may have gone", async () => {
    const { here, elsewhere, heard, gaps, away, back } = await stage(way);
    await away();
    const beganAt = Date.now();
    await here.subscribe("c", { replay: true, after: "beginning" });
    const replay = { count: 5 };
    for (let number = 0; number <= 300; number++) await elsewhere.publish("c", number, { replay });
    await back();
    await until(() => heard.at(-1)?.data === 300);
    expect(heard.length).toBeLessThan(300);
    expect(heard.map(({ position }) => position?.seq)).toEqual(heard.map((_, index) => 301 - heard.length + index));
    expect(gaps).toMatchObject([{ channel: "c", reason: "interrupted" }]);
    expect(gaps[0]?.from.getTime()).toBeGreaterThanOrEqual(beganAt);
    expect(gaps[0]?.missed).toBeUndefined();
  });
});
