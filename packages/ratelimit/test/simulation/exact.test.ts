import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RateLimiterOptions } from "../../src/index.ts";
import { certainlyWithin, type Decided, runFleet } from "./fleet.ts";
import { randomOf } from "./random-of.ts";
import { createSimulatedRedis, type Distance } from "./simulated-redis.ts";

// Real limiters in front of a simulated Redis that keeps its data, on fake timers: however far away, slow, cold or
// often away it is, no window holds more than the limit.

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const rule = fc.record({
  seed: fc.integer(),
  processes: fc.integer({ min: 2, max: 4 }),
  limit: fc.constantFrom(1, 3, 12, 40),
  windowMs: fc.constantFrom(200, 1_000, 3_000),
});
const sourcesOf = (decided: readonly Decided[]) => new Set(decided.map(({ source }) => source));

describe("while Redis is at work", () => {
  it("no window holds more than the limit, for any delay to Redis and back", async () => {
    const ways = fc.record({
      requestMs: fc.constantFrom(0, 1, 40, 150, 300),
      replyMs: fc.constantFrom(0, 1, 40, 150, 300),
      connectMs: fc.constantFrom(0, 100, 1_000),
      jitter: fc.constantFrom(0, 0.2, 1),
    });
    await fc.assert(
      fc.asyncProperty(rule, ways, async ({ seed, processes, limit, windowMs }, way) => {
        const random = randomOf(seed);
        const about = (ms: number) => ms * (1 + way.jitter * random());
        // Each process has delays of its own: some get early decisions late, others late decisions early.
        const distance = (process: number): Distance => ({
          requestMs: () => about(process % 2 === 0 ? way.requestMs : way.replyMs),
          replyMs: () => about(process % 2 === 0 ? way.replyMs : way.requestMs),
          connectMs: () => about(way.connectMs),
        });
        const limiter: RateLimiterOptions = { window: `${windowMs}ms`, limit };
        const pauseMs = () => random() * 40;
        const startsAtMs = () => random() * 400;
        const options = { processes, forMs: 6_000, limiter, distance, pauseMs, startsAtMs };
        const decided = await runFleet(createSimulatedRedis(), options);
        expect(certainlyWithin(decided, windowMs)).toBeLessThanOrEqual(limit);
        expect([...sourcesOf(decided)].filter((source) => source === "local")).toEqual([]);
        expect(decided.some(({ allowed }) => allowed)).toBe(true);
      }),
      runs(5),
    );
  });

  it("no window holds more than the limit when single answers take three times as long as the budget", async () => {
    await fc.assert(
      fc.asyncProperty(rule, async ({ seed, processes, limit, windowMs }) => {
        const random = randomOf(seed);
        const seldom = () => (random() < 0.02 ? 100 + random() * 250 : random() * 5);
        const decided = await runFleet(createSimulatedRedis(), {
          processes,
          forMs: 6_000,
          limiter: { window: `${windowMs}ms`, limit },
          distance: () => ({ requestMs: seldom, replyMs: seldom, connectMs: () => random() * 300 }),
          pauseMs: () => random() * 40,
        });
        expect(certainlyWithin(decided, windowMs)).toBeLessThanOrEqual(limit);
      }),
      runs(5),
    );
  });
});

describe("while Redis comes and goes for all", () => {
  const outages = fc.record({
    kind: fc.constantFrom("frozen", "killed"),
    awayMs: fc.constantFrom(30, 100, 400, 1_200, 3_000),
    backMs: fc.constantFrom(20, 50, 150, 700, 2_500),
    lanes: fc.constantFrom(1, 3),
  });
  // A process that answers from its deny cache does not ask Redis, and may miss an outage that others have noticed.
  it.each<[string, false | undefined, (processes: number, limit: number) => number]>([
    ["the limit where each call asks Redis", false, (_, limit) => limit],
    [
      "the limit and the parts of all but one where some answer from their deny cache",
      undefined,
      (processes, limit) => limit + (processes - 1) * Math.floor(limit / processes),
    ],
  ])("no window holds more than %s, with `processes`", async (_, denyCache, mostOf) => {
    await fc.assert(
      fc.asyncProperty(rule, outages, async ({ seed, processes, limit, windowMs }, { kind, awayMs, backMs, lanes }) => {
        const random = randomOf(seed);
        const redis = createSimulatedRedis();
        let atMs = 1_500;
        while (atMs < 20_000) {
          setTimeout(() => (kind === "frozen" ? redis.freeze() : redis.kill()), atMs);
          atMs += awayMs * (0.5 + random());
          setTimeout(() => (kind === "frozen" ? redis.thaw() : redis.restart()), atMs);
          atMs += backMs * (0.5 + random());
        }
        const near = () => random() * 3;
        const decided = await runFleet(redis, {
          processes,
          lanes,
          forMs: 20_000,
          limiter: { window: `${windowMs}ms`, limit, processes, ...(denyCache === false && { denyCache }) },
          distance: () => ({ requestMs: near, replyMs: near, connectMs: near }),
          pauseMs: () => 10 + random() * 40,
        });
        expect(certainlyWithin(decided, windowMs)).toBeLessThanOrEqual(mostOf(processes, limit));
        expect(decided.filter(({ allowed }) => allowed).length).toBeGreaterThan(0);
      }),
      runs(5),
    );
  });
});
