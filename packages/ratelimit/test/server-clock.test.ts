import { startRedisServer } from "@continuum-cache/conformance/servers";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { afterEach, describe, expect, it, vi } from "vitest";
import { RateLimiter } from "../src/index.ts";
import { closing } from "./opened.ts";

const opened = closing();
afterEach(() => {
  vi.restoreAllMocks();
});

/** A wall clock that is wrong by so much from now on. */
const skew = (ms: number): void => {
  const now = Date.now;
  vi.spyOn(Date, "now").mockImplementation(() => now() + ms);
};

describe("a wall clock that is wrong", () => {
  it.each([-60_000, 60_000, 86_400_000])("by %i ms changes nothing", async (ms) => {
    const redis = opened(await startRedisServer());
    const right = new RateLimiter(
      { transport: opened(tcpTransport({ url: redis.url })) },
      { window: "1m", limit: 10, budget: "10s" },
    );
    for (let used = 0; used < 6; used++) await right.limit("ann");
    skew(ms);
    const wrong = new RateLimiter(
      { transport: opened(tcpTransport({ url: redis.url })) },
      { window: "1m", limit: 10, budget: "10s" },
    );
    expect(await wrong.limit("ann")).toMatchObject({ allowed: true, current: 7 });
    expect(await wrong.getUsage("ann")).toMatchObject({ current: 7 });
    for (let used = 7; used < 10; used++) expect((await wrong.limit("ann")).allowed).toBe(true);
    const refused = await wrong.limit("ann");
    expect(refused).toMatchObject({ allowed: false, current: 10 });
    expect(refused.retryAfter).toBeGreaterThan(50);
    expect(refused.retryAfter).toBeLessThanOrEqual(60);
    const time = (await redis.command("TIME")) as [string, string];
    expect(Math.abs(refused.decidedAtUs / 1e6 - Number(time[0]))).toBeLessThan(5);
  });

  it("is noticed when it is set in the middle", async () => {
    const redis = opened(await startRedisServer());
    const limiter = new RateLimiter(
      { transport: opened(tcpTransport({ url: redis.url })) },
      { window: "1m", limit: 3, budget: "10s" },
    );
    await limiter.limit("ann", { cost: 3 });
    skew(3_600_000);
    await redis.resetStats();
    expect(await limiter.limit("bob")).toMatchObject({ allowed: true, current: 1 });
    expect(await limiter.limit("ann")).toMatchObject({ allowed: false, current: 3 });
    // It has asked the server anew, once.
    expect((await redis.commandStats())["time"]).toBe(1);
  });
});
