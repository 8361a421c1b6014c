import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import type { Transport } from "@continuum-cache/core";
import { closing } from "@continuum-cache/fixtures";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { beforeEach, describe, expect, it } from "vitest";
import { type Algorithm, RateLimiter } from "../src/index.ts";

// What Upstash bills: each command, those that a script runs included.

const opened = closing();
let redis: RedisServer;
beforeEach(async () => {
  redis = opened(await startRedisServer());
});

const transports: Record<string, () => Promise<Transport>> = {
  TCP: async () => tcpTransport({ url: redis.url }),
  REST: async () => {
    const { url } = opened(await startUpstashLocal({ port: 0, token: "t", redisUrl: redis.url }));
    return restTransport({ url, token: "t" });
  },
};

describe.each(Object.entries(transports))("over %s", (_name, open) => {
  const billed = async (work: () => Promise<unknown>) => {
    await redis.resetStats();
    await work();
    const counted = Object.entries(await redis.commandStats());
    return Object.fromEntries(counted.filter(([name]) => !/^(config\||info$|ping$)/.test(name)));
  };

  describe.each<Algorithm>(["sliding-window", "fixed-window", "token-bucket"])("%s", (algorithm) => {
    const rule = { window: "1h", limit: 10 } as const;
    const read = algorithm === "sliding-window" ? "getrange" : "get";
    const warmedUp = async () => {
      // However long the test takes, refusals are remembered throughout.
      const options = { algorithm, ...rule, budget: "10s", denyCache: { maxAge: "1h" } } as const;
      const limiter = new RateLimiter({ transport: opened(await open()) }, options);
      // The server is asked for its time until it is known well.
      for (let call = 0; call < 5; call++) await limiter.limit("warm");
      return limiter;
    };

    it("bills 3 commands for an allowed call, 2 for a refused one, none for a refusal that is remembered", async () => {
      const limiter = await warmedUp();
      expect(await billed(() => limiter.limit("ann", { cost: 9 }))).toEqual({ evalsha: 1, [read]: 1, set: 1 });
      expect(await billed(() => limiter.limit("ann"))).toEqual({ evalsha: 1, [read]: 1, set: 1 });
      expect(await billed(() => limiter.limit("ann"))).toEqual({ evalsha: 1, [read]: 1 });
      expect(await billed(async () => expect((await limiter.limit("ann")).source).toBe("deny-cache"))).toEqual({});
      expect(await billed(() => limiter.checkRateLimit("ann", { windowSeconds: 3_600, maxRequests: 10 }))).toEqual({});
    });

    it("bills 1 for the usage, 1 for a reset", async () => {
      const limiter = await warmedUp();
      expect(await billed(() => limiter.getUsage("ann"))).toEqual({ get: 1 });
      expect(await billed(() => limiter.reset("ann"))).toEqual({ del: 1 });
    });

    it("bills 1 and 2 for each limit when several are decided on at once", async () => {
      const limiter = await warmedUp();
      const limits = ["minute", "day", "address"].map((scope) => ({ id: "ann", scope }));
      expect(await billed(() => limiter.limitAll(limits, { cost: 9 }))).toEqual({ evalsha: 1, [read]: 3, set: 3 });
      expect(await billed(() => limiter.limitAll(limits, { cost: 9 }))).toEqual({ evalsha: 1, [read]: 3 });
    });

    it("bills 2 for each call of a tick, and 1 for all of them", async () => {
      const limiter = await warmedUp();
      const tick = () =>
        Promise.all(Array.from({ length: 64 }, (_, user) => limiter.limit(`user${user}`, { cost: 9 })));
      expect(await billed(tick)).toEqual({ evalsha: 1, [read]: 64, set: 64 });
      // Refused calls too.
      expect(await billed(tick)).toEqual({ evalsha: 1, [read]: 64 });
      expect(await billed(tick)).toEqual({});
    });
  });

  it("asks for the time in the first decision, in a few more if that trip was long, and then no more", async () => {
    const limiter = new RateLimiter({ transport: opened(await open()) }, { window: "1h", limit: 100, budget: "10s" });
    await redis.command("SCRIPT", "FLUSH");
    expect(await billed(() => limiter.limit("ann"))).toEqual({ evalsha: 1, eval: 1, time: 1, getrange: 1, set: 1 });
    for (let call = 0; call < 3; call++) await limiter.limit("ann");
    expect(await billed(() => limiter.limit("ann"))).toEqual({ evalsha: 1, getrange: 1, set: 1 });
  });

  it("reads and writes the end of a large window alone", async () => {
    const limiter = new RateLimiter({ transport: opened(await open()) }, { window: "1h", limit: 2_000, budget: "10s" });
    const decide = (calls: number) => Promise.all(Array.from({ length: calls }, () => limiter.limit("ann")));
    await decide(5);
    await decide(130);
    const calls = await billed(async () => {
      for (let call = 0; call < 10; call++) expect((await limiter.limit("ann")).allowed).toBe(true);
    });
    expect(calls).toEqual({ evalsha: 10, getrange: 10, setrange: 10 });
    expect(await limiter.getUsage("ann")).toMatchObject({ current: 145 });
  });
});
