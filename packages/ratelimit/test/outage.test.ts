import { startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { guarded } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { closing } from "@continuum-cache/fixtures";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { describe, expect, it, vi } from "vitest";
import { type Algorithm, RateLimiter, type RateLimiterOptions } from "../src/index.ts";

const opened = closing();

const limiterOn = (url: string, options: RateLimiterOptions) =>
  opened(new RateLimiter({ transport: opened(tcpTransport({ url })) }, options));

describe("one process, through an outage", () => {
  it.each<Algorithm>(["sliding-window", "fixed-window", "token-bucket"])(
    "%s: goes on where it was, there and back",
    async (algorithm) => {
      const redis = opened(await startRedisServer());
      const limiter = limiterOn(redis.url, { algorithm, window: "1h", limit: 20, budget: "5s" });
      const sources: string[] = [];
      limiter.on("backend", ({ to }) => sources.push(to));
      for (let used = 1; used <= 8; used++) await limiter.limit("ann");
      await limiter.limit("bob", { cost: 5 });
      await redis.kill();
      for (let used = 9; used <= 15; used++) {
        expect(await limiter.limit("ann")).toMatchObject({ allowed: true, source: "local", current: used });
      }
      expect(await limiter.getUsage("ann")).toMatchObject({ current: 15, remaining: 5 });
      // What this process tells Redis of a key was not used by others: it says nothing about this process's part of
      // bob's.
      for (let used = 1; used <= 6; used++) await limiter.limit("new");
      // Without its data: what this process knows is replayed, also for keys that are not requested again.
      await redis.restart();
      await expect.poll(() => limiter.limit("new").then(({ source }) => source)).toBe("redis");
      await limiter.close();
      expect(await limiter.limit("ann")).toMatchObject({ allowed: true, source: "redis", current: 16 });
      expect(await limiter.getUsage("bob")).toMatchObject({ current: 5 });
      expect(sources).toEqual(["local", "redis"]);
      const another = limiterOn(redis.url, { algorithm, window: "1h", limit: 20, budget: "5s" });
      expect(await another.limit("ann", { cost: 4 })).toMatchObject({ allowed: true, current: 20 });
      expect(await another.limit("ann")).toMatchObject({ allowed: false });
    },
  );

  it("replays to a Redis that kept its data only what is new", async () => {
    const redis = opened(await startRedisServer());
    const proxy = opened(await startFaultProxy({ port: redis.port }));
    const limiter = limiterOn(`redis://127.0.0.1:${proxy.port}`, { window: "1h", limit: 20, budget: "5s" });
    for (let used = 1; used <= 8; used++) await limiter.limit("ann");
    proxy.set({ kind: "refuse" });
    proxy.cut();
    for (let used = 9; used <= 11; used++) await limiter.limit("ann");
    proxy.set({ kind: "pass" });
    await expect.poll(() => limiter.limit("new").then(({ source }) => source)).toBe("redis");
    await limiter.close();
    expect(await limiter.limit("ann")).toMatchObject({ source: "redis", current: 12 });
  });

  it("replays a reset of the outage when the limiter uses a cache with a fallback", async () => {
    const redis = opened(await startRedisServer({ appendonly: true, args: ["appendfsync always"] }));
    const primary = guarded(tcpTransport({ url: redis.url }));
    const transport = opened(withFallback(primary, memoryTransport(), { healthCheckInterval: "100ms" }));
    const limiter = opened(new RateLimiter({ transport }, { window: "1h", limit: 5, budget: "5s" }));
    await limiter.limit("ann", { cost: 5 });
    await redis.kill();
    expect(await limiter.limit("ann")).toMatchObject({ allowed: false, source: "local" });
    await limiter.reset("ann");
    expect(await limiter.limit("ann", { cost: 2 })).toMatchObject({ allowed: true, source: "local" });
    await redis.restart();
    await expect.poll(() => limiter.limit("new").then(({ source }) => source)).toBe("redis");
    await expect.poll(() => limiter.getUsage("ann").then(({ current }) => current)).toBe(2);
  });

  it.each([
    ["open", true],
    ["closed", false],
  ] as const)("decides by `onError: %j`", async (onError, allowed) => {
    const redis = opened(await startRedisServer());
    const limiter = limiterOn(redis.url, { window: "1h", limit: 1, budget: "5s", onError });
    await limiter.limit("ann");
    await redis.kill();
    for (let call = 0; call < 10; call++) {
      const decision = await limiter.limit("ann");
      expect(decision).toMatchObject({ allowed, source: onError });
      expect(decision.receipt).toBeUndefined();
      if (!allowed) expect(decision.retryAfter).toBeGreaterThanOrEqual(1);
    }
    await redis.restart();
    await expect.poll(() => limiter.limit("ann").then(({ source }) => source)).toBe("redis");
  });
});

describe("a process that has never reached Redis", () => {
  const never = async (options: RateLimiterOptions) => {
    const redis = opened(await startRedisServer());
    await redis.kill();
    return { redis, limiter: limiterOn(redis.url, { window: "1h", limit: 10, ...options }) };
  };

  it('has no part of a limit: it refuses with `source: "closed"` until Redis is there', async () => {
    const { redis, limiter } = await never({});
    const told: string[] = [];
    limiter.on("error", ({ operation }) => told.push(operation));
    limiter.on("backend", ({ to }) => told.push(to));
    const refused = await limiter.limit("ann");
    expect(refused).toMatchObject({ allowed: false, source: "closed", remaining: 0 });
    expect(refused.retryAfter).toBeGreaterThanOrEqual(1);
    expect(told).toEqual(["local", "decide"]);
    expect(await limiter.getUsage("ann")).toMatchObject({ remaining: 0 });
    expect((await limiter.limitAll([{ id: "ann" }, { id: "bob" }])).allowed).toBe(false);
    await redis.restart();
    await expect.poll(() => limiter.limit("ann").then(({ source }) => source)).toBe("redis");
    expect(told.at(-1)).toBe("redis");
  });

  it.each<[string, RateLimiterOptions, number]>([
    ["the whole limit where it is the only one", { processes: 1 }, 10],
    ["its part where `processes` says how many there are, rounded down", { processes: 3 }, 3],
    ["nothing where there are more processes than the limit holds", { processes: 11 }, 0],
  ])("has %s", async (_, options, most) => {
    const { limiter } = await never(options);
    let allowed = 0;
    for (let call = 0; call < 15; call++) if ((await limiter.limit("ann")).allowed) allowed++;
    expect(allowed).toBe(most);
  });

  it('allows every call with `onError: "open"`, and none with "closed"', async () => {
    expect(await (await never({ onError: "open" })).limiter.limit("ann")).toMatchObject({
      allowed: true,
      source: "open",
    });
    const { limiter } = await never({ onError: "closed" });
    expect(await limiter.limit("ann")).toMatchObject({ allowed: false, source: "closed" });
  });
});

describe("where Redis can't be reached from this runtime", () => {
  const limiterOfRuntime = (options: RateLimiterOptions = {}) => {
    const send = () =>
      Promise.reject(new TypeError("A Node.js API is used which is not supported in the Edge Runtime"));
    return new RateLimiter(
      { transport: { name: "edge", send, close: async () => {} } },
      { window: "1m", limit: 5, ...options },
    );
  };

  it("the limiter emits an event, and prints one warning where there is no listener", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const heard = limiterOfRuntime();
    const told: string[] = [];
    heard.on("error", ({ error }) => told.push(error.message));
    for (let call = 0; call < 3; call++) {
      expect(await heard.limit("ann")).toMatchObject({ allowed: false, source: "closed" });
    }
    expect(told).toHaveLength(3);
    expect(told[0]).toMatch(/Edge Runtime/);
    expect(warn).not.toHaveBeenCalled();
    const unheard = limiterOfRuntime({ onError: "open" });
    for (let call = 0; call < 3; call++) expect(await unheard.limit("ann")).toMatchObject({ source: "open" });
    expect(warn.mock.calls.map(String)).toEqual([expect.stringMatching(/without Redis.*"open".*Edge Runtime/)]);
    warn.mockRestore();
  });
});

it("no id and no key appears in events and errors", async () => {
  const redis = opened(await startRedisServer());
  const limiter = limiterOn(redis.url, { window: "1h", limit: 5, budget: "100ms" });
  const told: unknown[] = [];
  limiter.on("error", ({ operation, error }) => told.push(operation, String(error.stack)));
  limiter.on("backend", (event) => told.push(JSON.stringify(event)));
  // A process has a part of the limit only once an answer of Redis has shown some use.
  await limiter.limit("ann");
  await redis.command("SET", "ratelimit:default:canary:3600s", "something else");
  await redis.command("HSET", "ratelimit:list:canary:3600s", "f", "v");
  expect((await limiter.limit("canary")).source).toBe("local");
  expect((await limiter.limit("canary", { scope: "list" })).source).toBe("local");
  expect(await redis.command("GET", "ratelimit:default:canary:3600s")).toBe("something else");
  await redis.kill();
  await limiter.limit("canary");
  expect(told.length).toBeGreaterThan(2);
  expect(told.join("\n")).toMatch(/use another scope/);
  expect(told.join("\n")).not.toMatch(/canary/);
});
