import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import type { Argument, Reply, Transport } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Switchable, switchable } from "./switchable.ts";

const one = async (transport: Transport, ...command: [string, ...Argument[]]) =>
  (await transport.send([command]))[0] as Reply;

describe("the changes of an outage", () => {
  let server: RedisServer;
  let redis: Transport;
  let primary: Switchable;
  let transport: Transport;
  beforeAll(async () => {
    server = await startRedisServer();
    redis = tcpTransport({ url: server.url });
  });
  afterAll(async () => {
    await redis.close();
    await server.close();
  });
  beforeEach(async () => {
    await one(redis, "FLUSHALL");
    primary = switchable(redis);
    transport = withFallback({ ...primary, close: async () => {} }, memoryTransport(), {
      healthCheckInterval: "20ms",
    });
  });
  afterEach(() => transport.close());
  const goAway = () => primary.fail("unreachable", { delivery: "none" });
  const comeBack = async () => {
    primary.restore();
    await expect.poll(() => transport.status?.currentBackend).toBe("upstash");
    expect(transport.status?.pending).toBe(0);
  };

  it("may be commands with many thousand arguments", async () => {
    await one(redis, "ZADD", "high", 5, "m:0", 5, "m:1");
    goAway();
    const ids = Array.from({ length: 9_000 }, (_, id) => id);
    await one(transport, "ZADD", "z", ...ids.flatMap((id) => [id, `m:${id}`]));
    await one(transport, "ZADD", "high", "XX", "GT", ...ids.flatMap((id) => [id + 5, `m:${id}`]));
    await one(transport, "ZREM", "z", ...ids.slice(100).map((id) => `m:${id}`));
    await one(transport, "HSET", "h", ...ids.flatMap((id) => [`f:${id}`, id]));
    await one(transport, "HDEL", "h", ...ids.slice(100).map((id) => `f:${id}`));
    await one(transport, "RPUSH", "l", ...ids);
    await comeBack();
    expect(transport.status?.outage).toBeUndefined();
    expect(await one(redis, "ZCARD", "z")).toBe(100);
    expect(await one(redis, "ZRANGE", "high", 0, -1, "WITHSCORES")).toEqual(["m:0", "5", "m:1", "6"]);
    expect(await one(redis, "HLEN", "h")).toBe(100);
    expect(await one(redis, "LLEN", "l")).toBe(9_000);
  });
});
