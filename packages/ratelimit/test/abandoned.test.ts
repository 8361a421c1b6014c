import { type SendOptions, type Transport, TransportError } from "@continuum-cache/core";
import { createBreaker } from "@continuum-cache/core/kit";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createAcquireQueue } from "../src/limits/acquire-queue.ts";
import { createAttempts } from "../src/limits/attempts.ts";
import { type LimitRequest, readLimitRequest } from "../src/limits/limit-request.ts";
import { createLocalLimits } from "../src/limits/local-limits.ts";
import { createOutageReconciler } from "../src/limits/outage-reconciler.ts";
import { createRedisLimits } from "../src/limits/redis-limits.ts";
import { createTrafficShare } from "../src/limits/traffic-share.ts";
import { createLatencyEstimator } from "../src/timing/latency.ts";
import { createServerClock } from "../src/timing/server-clock.ts";
import type { Decision } from "../src/types.ts";

// On the edge a request may end at any await: its timers never fire, and none of its code runs on. What it held must
// not be lost.

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Runs a request that ends early: the timers that it sets never fire. */
const abandoned = async (work: () => unknown): Promise<void> => {
  const timers = vi.spyOn(globalThis, "setTimeout").mockImplementation((() => 0) as never);
  work();
  await Promise.resolve();
  timers.mockRestore();
};
const never = (): Promise<never> => new Promise(() => {});
const request: LimitRequest = readLimitRequest({ algorithm: "sliding-window", keyPrefix: "" }, "ann", {
  window: "1m",
  limit: 10,
});

describe("a request that disappears", () => {
  it("leaves the half-open probe to the next request", async () => {
    const breaker = createBreaker({ failures: 1, sample: false, maxWait: "1s", random: () => 0 });
    const onAnswer = vi.fn();
    const attempts = createAttempts({
      breaker,
      latency: createLatencyEstimator(250),
      transportName: "test",
      waitsUntilClear: true,
      isWary: false,
      onAway() {},
      onAnswer,
      onDoubt() {},
      onFailure() {},
    });
    await attempts.run("decide", async () => "answer");
    breaker.failed(new TransportError("unreachable", "gone", { transport: "test" }));
    await vi.advanceTimersByTimeAsync(300);
    await abandoned(() => attempts.run("decide", never));
    expect(await attempts.run("decide", async () => "answer")).toEqual({ reason: "away" });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await attempts.run("decide", async () => "answer")).toEqual({ result: "answer" });
    expect(onAnswer).toHaveBeenCalledTimes(2);
  });

  it("leaves its replay to the next request", () => {
    const local = createLocalLimits(10);
    const reconciler = createOutageReconciler({ share: createTrafficShare(1), local, maxKeys: 10, returnMs: 1_000 });
    const now = { earliestUs: Date.now() * 1_000, latestUs: Date.now() * 1_000 };
    reconciler.recordLocalAdmission(request, now.latestUs);
    const lost = reconciler.claimReplay(request, now, 1_000);
    expect(lost?.admissions).toEqual([{ bornUs: 0, atUs: now.latestUs, cost: 1 }]);
    expect(reconciler.claimReplay(request, now, 1_000)).toBeUndefined();
    vi.advanceTimersByTime(1_001);
    const taken = reconciler.claimReplay(request, now, 1_000);
    expect(taken?.admissions).toHaveLength(1);
    // If the first replay has arrived after all, the second repeats it, with the same time.
    if (lost) reconciler.confirmReplay(lost, 7);
    if (taken) reconciler.confirmReplay(taken, 7);
    expect(reconciler.claimReplay(request, now, 1_000)).toBeUndefined();
  });

  it("does not block the callers behind it in a queue", async () => {
    vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
    const free = { allowed: true, remaining: 5, retryAfter: 0, moreAfter: 0 } as Decision;
    const decide = vi.fn<(request: LimitRequest) => Promise<Decision>>(never);
    const lines = createAcquireQueue({ decide, refund: never });
    await abandoned(() => lines.wait(request, { timeoutMs: 2_000, signal: undefined }));
    decide.mockImplementation(async () => free);
    const served = vi.fn();
    void lines.wait(request, { timeoutMs: 1_000, signal: undefined }).then(served);
    await vi.advanceTimersByTimeAsync(500);
    expect(served).toHaveBeenCalledWith(free);
    expect(vi.getTimerCount()).toBe(0);
    vi.unstubAllGlobals();
  });

  it("does not keep a closing limiter waiting for ever", async () => {
    const lines = createAcquireQueue({ decide: never, refund: never });
    const waiting = lines.wait(request, { timeoutMs: 60_000, signal: undefined }).catch((error: unknown) => error);
    const closed = vi.fn();
    void lines.close().then(closed);
    expect(await waiting).toMatchObject({ message: "The rate limiter was closed" });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(closed).toHaveBeenCalled();
  });

  it("does not block the decisions of others when its own was the first", async () => {
    vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
    const store = memoryTransport();
    const send = vi.fn<Transport["send"]>(never);
    const limits = createRedisLimits({ ...store, send }, createServerClock());
    await abandoned(() => limits.decide([{ requests: [request], merges: [] }], 10_000));
    send.mockImplementation(store.send);
    const decided = vi.fn();
    void limits.decide([{ requests: [request], merges: [] }], 10_000).then(decided);
    await vi.advanceTimersByTimeAsync(500);
    expect(decided).toHaveBeenCalled();
    await store.close();
    vi.unstubAllGlobals();
  });
});

it("a decision that has waited for the first one is not sent when its own time is over", async () => {
  const store = memoryTransport();
  const send = vi.fn((_: unknown, { timeoutMs = 0 }: SendOptions = {}) => {
    const error = new TransportError("timeout", "No answer", { transport: "test" });
    return new Promise<never>((_resolve, reject) => setTimeout(reject, timeoutMs, error));
  });
  const limits = createRedisLimits({ ...store, send }, createServerClock());
  const failed = vi.fn();
  for (let count = 0; count < 5; count++) {
    limits.decide([{ requests: [request], merges: [] }], 1_000).catch(failed);
    await vi.advanceTimersByTimeAsync(10);
  }
  await vi.advanceTimersByTimeAsync(1_500);
  expect(failed).toHaveBeenCalledTimes(5);
  const calls = send.mock.calls.length;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(send).toHaveBeenCalledTimes(calls);
  await store.close();
});
