import { presets, RateLimiter, UpstashCache } from "continuum-cache";
import { describe, expect, it } from "vitest";
import { backends, optionsFor } from "./backends.ts";

describe.each(backends)("a rate limiter on an UpstashCache: $name", ({ name, start }) => {
  it("counts, refuses, gives back and begins anew", async () => {
    const backend = await start();
    const cache = new UpstashCache(optionsFor(backend, { keyPrefix: "app:" }));
    const limiter = new RateLimiter(cache, { budget: "10s" });
    const decisions = await Promise.all(Array.from({ length: 25 }, () => limiter.limit("user_123", presets.search)));
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(20);
    expect(new Set(decisions.map(({ source }) => source))).toEqual(
      new Set([name === "local memory" ? "local" : "redis"]),
    );
    expect(await limiter.refund(decisions[3] ?? (decisions[0] as never))).toBe(true);
    expect((await limiter.limit("user_123", presets.search)).allowed).toBe(true);
    await limiter.reset("user_123", presets.search);
    expect(await limiter.getUsage("user_123", presets.search)).toMatchObject({ current: 0, limit: 20 });
    expect(await limiter.checkRateLimit("user_123", { windowSeconds: 60, maxRequests: 100 })).toBe(true);
    await limiter.close();
    await cache.close();
    await backend.close();
  });
});

/** The others run in the test's own process: there is no server to kill. */
const killable = backends.filter(({ name }) => ["REST over Redis", "Redis protocol"].includes(name));

it.each(killable)("goes on with the quota through an outage, and back: $name", async ({ start }) => {
  const backend = await start();
  const cache = new UpstashCache(optionsFor(backend, { healthCheckInterval: "200ms" }));
  const limiter = new RateLimiter(cache, { window: "1h", limit: 10, budget: "5s" });
  for (let used = 1; used <= 4; used++) await limiter.limit("ann");
  await backend.redis?.kill();
  for (let used = 5; used <= 7; used++) {
    expect(await limiter.limit("ann")).toMatchObject({ allowed: true, source: "local", current: used });
  }
  await backend.redis?.restart();
  await expect.poll(() => limiter.limit("bob").then(({ source }) => source), { timeout: 60_000 }).toBe("redis");
  await limiter.close();
  expect(await limiter.limit("ann")).toMatchObject({ source: "redis", current: 8 });
  await cache.close();
  await backend.close();
});
