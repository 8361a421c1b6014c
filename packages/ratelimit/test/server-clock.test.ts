import { startRedisServer } from "@continuum-cache/conformance/servers";
import { closing } from "@continuum-cache/fixtures";
import { runs } from "@continuum-cache/test-scale";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RateLimiter } from "../src/index.ts";
import { createServerClock, type ServerClock } from "../src/timing/server-clock.ts";

const opened = closing();
afterEach(() => {
  vi.restoreAllMocks();
});

/** Makes the wall clock wrong by this much. */
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

describe("the server's time", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const request = fc.record({
    requestMs: fc.oneof(fc.nat(3), fc.nat(2_000)),
    replyMs: fc.oneof(fc.nat(3), fc.nat(2_000)),
    pauseMs: fc.nat(40_000),
  });

  it("is always within the bounds, for any delay to the server and back, and for any drift of its clock", () => {
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: -600_000, max: 600_000 }),
        fc.integer({ min: -90, max: 90 }),
        (requests, apartMs, driftPpm) => {
          const startMs = performance.now();
          const serverUs = (): number => {
            const passedMs = performance.now() - startMs;
            return 1_795_000_000_000_000 + Math.floor((apartMs + passedMs * (1 + driftPpm / 1e6)) * 1_000);
          };
          const clock = createServerClock();
          for (const { requestMs, replyMs, pauseMs } of requests) {
            const answered = clock.asking(true);
            vi.advanceTimersByTime(requestMs);
            const readUs = serverUs();
            vi.advanceTimersByTime(replyMs);
            answered(readUs);
            for (const ms of [0, pauseMs]) {
              vi.advanceTimersByTime(ms);
              const { earliestUs, latestUs } = clock.now();
              expect(earliestUs).toBeLessThanOrEqual(serverUs());
              expect(latestUs).toBeGreaterThanOrEqual(serverUs());
            }
          }
        },
      ),
      runs(300),
    );
  });

  const read = (clock: ServerClock, roundTripMs: number, serverUs = Date.now() * 1_000): void => {
    const answered = clock.asking(true);
    vi.advanceTimersByTime(roundTripMs);
    answered(serverUs + (roundTripMs / 2) * 1_000);
  };

  it("is requested by each decision whose window is short compared to the error, and rarely by others", () => {
    const clock = createServerClock();
    expect(clock.estimate(3_600_000_000)).toBeUndefined();
    read(clock, 300);
    expect(clock.estimate(1_000_000)).toBeUndefined();
    expect(clock.estimate(60_000_000)).toBeDefined();
    read(clock, 2);
    expect(clock.estimate(1_000_000)).toBeDefined();
    vi.advanceTimersByTime(61_000);
    expect(clock.estimate(3_600_000_000)).toBeUndefined();
  });

  it("is requested again after a failure and after a step of this machine's clock, until it is known", () => {
    const clock = createServerClock();
    read(clock, 2);
    clock.doubt();
    expect([clock.trusted(), clock.estimate(3_600_000_000)]).toEqual([undefined, undefined]);
    clock.asking(true);
    expect(clock.estimate(3_600_000_000)).toBeUndefined();
    read(clock, 2);
    expect(clock.trusted()).toBeDefined();
    vi.setSystemTime(Date.now() + 3_600_000);
    expect([clock.trusted(), clock.estimate(3_600_000_000)]).toEqual([undefined, undefined]);
  });

  it("follows a server whose clock was set", () => {
    const clock = createServerClock();
    read(clock, 2);
    read(clock, 2, (Date.now() + 60_000) * 1_000);
    expect(clock.now().earliestUs).toBeGreaterThan((Date.now() + 59_000) * 1_000);
  });

  it("is this machine's own where the server is this process, without an error", () => {
    const clock = createServerClock(() => true);
    const { earliestUs, latestUs } = clock.now();
    expect([earliestUs, latestUs]).toEqual([Date.now() * 1_000, Date.now() * 1_000]);
    expect(clock.estimate(1_000)).toEqual({ earliestUs, latestUs });
  });
});
