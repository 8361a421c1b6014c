import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Algorithm, RateLimiter } from "../../src/index.ts";
import { createSimulatedRedis } from "./simulated-redis.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const at = { requestMs: () => 0, replyMs: () => 0, connectMs: () => 0 };

it.each<[Algorithm, string]>([
  ["sliding-window", "2500ms"],
  ["sliding-log", "2500ms"],
  ["sliding-window", "7500ms"],
])("%s: a call that Redis decides %s late counts what was in use when it was made", async (algorithm, late) => {
  const redis = createSimulatedRedis();
  const options = { algorithm, window: "1s", limit: 3, budget: "10s", denyCache: false } as const;
  const limiter = new RateLimiter({ transport: redis.connect(at) }, options);
  const limit = async () => {
    const decided = limiter.limit("ann");
    await vi.advanceTimersByTimeAsync(5);
    return (await decided).receipt?.atUs;
  };
  const accepted = [await limit(), await limit(), await limit()];
  await vi.advanceTimersByTimeAsync(500);
  redis.freeze();
  const waiting = Array.from({ length: 3 }, () => limiter.limit("ann"));
  await vi.advanceTimersByTimeAsync(Number.parseInt(late, 10));
  redis.thaw();
  await vi.advanceTimersByTimeAsync(1_000);
  for (const { receipt } of await Promise.all(waiting)) if (receipt) accepted.push(receipt.atUs);
  const times = accepted.filter((timeUs) => timeUs !== undefined).sort((one, other) => one - other);
  for (const [index, timeUs] of times.entries()) {
    expect(times.slice(0, index + 1).filter((other) => other > timeUs - 1_000_000).length).toBeLessThanOrEqual(3);
  }
});
