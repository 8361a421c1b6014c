import { startRedisServer } from "@continuum-cache/conformance/servers";
import type { Transport } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { closing } from "@continuum-cache/fixtures";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RateLimiter, type RateLimiterOptions } from "../src/index.ts";

const opened = closing();

/** A limiter on a memory, and how many trips it has taken. */
const counted = (options: RateLimiterOptions) => {
  const memory = memoryTransport();
  const seen = { trips: 0 };
  const send: Transport["send"] = (...args) => {
    seen.trips++;
    return memory.send(...args);
  };
  return { seen, limiter: new RateLimiter({ transport: { ...memory, send } }, options) };
};

describe("a refusal that is remembered", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("answers without a trip until the very moment at which the call would be allowed", async () => {
    const { seen, limiter } = counted({ window: "4s", limit: 2 });
    await limiter.limit("ann");
    await vi.advanceTimersByTimeAsync(1_000);
    await limiter.limit("ann");
    expect(await limiter.limit("ann")).toMatchObject({ allowed: false, retryAfter: 3 });
    seen.trips = 0;
    await vi.advanceTimersByTimeAsync(2_999);
    const refused = await limiter.limit("ann");
    expect(refused).toMatchObject({ allowed: false, source: "deny-cache", current: 2, remaining: 0 });
    expect(refused.retryAfter).toBeCloseTo(0.001, 5);
    expect(seen.trips).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(await limiter.limit("ann")).toMatchObject({ allowed: true });
  });

  it("refuses no call of a steady user, whose quota comes back bit by bit", async () => {
    const { limiter } = counted({ window: "1m", limit: 100 });
    let refused = 0;
    for (let call = 0; call < 300; call++) {
      if (!(await limiter.limit("ann")).allowed) refused++;
      // A further attempt, which is refused once the window is full.
      if (call >= 100) expect((await limiter.limit("ann")).allowed).toBe(false);
      await vi.advanceTimersByTimeAsync(600);
    }
    expect(refused).toBe(0);
  });

  it("does not apply to a call that costs less", async () => {
    const { limiter } = counted({ window: "1m", limit: 100 });
    await limiter.limit("ann", { cost: 10 });
    expect((await limiter.limit("ann", { cost: 95 })).allowed).toBe(false);
    expect(await limiter.limit("ann", { cost: 1 })).toMatchObject({ allowed: true, source: "local" });
    expect(await limiter.limit("ann", { cost: 96 })).toMatchObject({ allowed: false, source: "deny-cache" });
  });

  it("does not apply to a higher limit, and ends with a reset and with a refund", async () => {
    const { limiter } = counted({ window: "1m", limit: 2 });
    const first = await limiter.limit("ann");
    await limiter.limit("ann");
    expect((await limiter.limit("ann")).allowed).toBe(false);
    expect((await limiter.limit("ann", { limit: 3 })).allowed).toBe(true);
    expect((await limiter.limit("ann", { limit: 3 })).allowed).toBe(false);
    await limiter.refund(first);
    expect((await limiter.limit("ann", { limit: 3 })).allowed).toBe(true);
    expect((await limiter.limit("ann", { limit: 3 })).allowed).toBe(false);
    await limiter.reset("ann");
    expect((await limiter.limit("ann")).allowed).toBe(true);
  });

  it("is not remembered when its answer comes after a refund or a reset that began later", async () => {
    for (const lift of ["refund", "reset"] as const) {
      const { limiter } = counted({ window: "1m", limit: 1 });
      const first = await limiter.limit("ann");
      const late = limiter.limit("ann");
      await Promise.resolve();
      const lifting = lift === "refund" ? limiter.refund(first) : limiter.reset("ann");
      expect((await late).allowed).toBe(false);
      await lifting;
      expect((await limiter.limit("ann")).allowed).toBe(true);
    }
  });

  it("notices after `maxAge` what others have given back", async () => {
    const { seen, limiter } = counted({ window: "1m", limit: 1, denyCache: { maxAge: "2s" } });
    await limiter.limit("ann");
    await limiter.limit("ann");
    seen.trips = 0;
    await vi.advanceTimersByTimeAsync(1_999);
    await limiter.limit("ann");
    expect(seen.trips).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    await limiter.limit("ann");
    expect(seen.trips).toBe(1);
  });

  it("is not kept when there is no cache, and only so many are", async () => {
    const none = counted({ window: "1m", limit: 1, denyCache: false });
    for (let call = 0; call < 3; call++) await none.limiter.limit("ann");
    expect((await none.limiter.limit("ann")).source).toBe("local");
    const few = counted({ window: "1m", limit: 1, denyCache: { maxEntries: 2 } });
    for (const id of ["a", "b", "c"]) for (let call = 0; call < 2; call++) await few.limiter.limit(id);
    expect((await few.limiter.limit("a")).source).toBe("local");
    expect((await few.limiter.limit("c")).source).toBe("deny-cache");
  });
});

it("applies to this process only: another limiter asks Redis itself", async () => {
  const redis = opened(await startRedisServer());
  const [one, other] = [1, 2].map(() => {
    return new RateLimiter(
      { transport: opened(tcpTransport({ url: redis.url })) },
      { window: "1h", limit: 1, budget: "10s" },
    );
  }) as [RateLimiter, RateLimiter];
  await one.limit("ann");
  await one.limit("ann");
  expect((await one.limit("ann")).source).toBe("deny-cache");
  expect((await other.limit("ann")).source).toBe("redis");
  await other.reset("ann");
  expect((await other.limit("ann")).allowed).toBe(true);
});
