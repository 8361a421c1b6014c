import { MessageChannel } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLatencyEstimator } from "../src/timing/latency.ts";
import { timedOut, withTimeout } from "../src/timing/timeout.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the time that a caller waits for Redis", () => {
  const answers = (latency: ReturnType<typeof createLatencyEstimator>, ms: number, times = 1): void => {
    for (let time = 0; time < times; time++) {
      const answered = latency.start();
      vi.advanceTimersByTime(ms);
      answered();
    }
  };

  it("is 5 seconds for connecting and the first answer, whatever the budget is", () => {
    expect(createLatencyEstimator(250).callerTimeoutMs()).toBe(5_000);
    expect(createLatencyEstimator(10_000).callerTimeoutMs()).toBe(10_000);
  });

  it("is the budget and the usual round trip, once that is known", () => {
    const near = createLatencyEstimator(250);
    answers(near, 1, 20);
    expect(near.callerTimeoutMs()).toBeLessThan(260);
    const far = createLatencyEstimator(250);
    answers(far, 900);
    expect(far.callerTimeoutMs()).toBeGreaterThanOrEqual(250 + 900);
    answers(far, 300, 20);
    expect(far.callerTimeoutMs()).toBeGreaterThanOrEqual(250 + 300);
    expect(far.callerTimeoutMs()).toBeLessThan(250 + 400);
  });

  it("includes connecting where a new connection may be needed: after a failure, after an idle time", () => {
    const latency = createLatencyEstimator(250);
    answers(latency, 1_200);
    answers(latency, 300, 20);
    latency.failed();
    expect(latency.callerTimeoutMs()).toBeGreaterThanOrEqual(250 + 1_200);
    answers(latency, 300, 2);
    expect(latency.callerTimeoutMs()).toBeLessThan(250 + 400);
    vi.advanceTimersByTime(3_000);
    expect(latency.callerTimeoutMs()).toBeGreaterThanOrEqual(250 + 900);
  });

  it("grows with a server that becomes slow, since late answers count too", () => {
    const latency = createLatencyEstimator(250);
    answers(latency, 1, 20);
    answers(latency, 600, 4);
    expect(latency.callerTimeoutMs()).toBeGreaterThan(250 + 600);
  });

  it("does not count answers that an outage has delayed as usual", () => {
    const latency = createLatencyEstimator(250);
    answers(latency, 1, 20);
    answers(latency, 60_000);
    answers(latency, 1, 20);
    expect(latency.callerTimeoutMs()).toBeLessThan(300);
  });

  it("is shorter than the deadline of a request", () => {
    const latency = createLatencyEstimator(250);
    expect(latency.requestTimeoutMs()).toBeGreaterThanOrEqual(2 * latency.callerTimeoutMs());
    answers(latency, 1, 3);
    expect(latency.requestTimeoutMs()).toBeGreaterThanOrEqual(3 * latency.callerTimeoutMs());
  });
});

describe("withTimeout", () => {
  it("ends after its time", async () => {
    const waiting = withTimeout(400, new Promise(() => {}));
    const told = vi.fn();
    void waiting.then(told);
    await vi.advanceTimersByTimeAsync(399);
    expect(told).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(5);
    expect(told).toHaveBeenCalledWith(timedOut);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("hands on the answer or the failure, and leaves no timer behind", async () => {
    expect(await withTimeout(400, Promise.resolve(7))).toBe(7);
    await expect(withTimeout(400, Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(vi.getTimerCount()).toBe(0);
  });
});

it("a process that stands still does not miss an answer that came meanwhile", async () => {
  vi.useRealTimers();
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => port2.once("message", resolve));
  const waiting = withTimeout(80, answer);
  setTimeout(() => {
    port1.postMessage("here");
    // Longer than its whole timeout, and the answer is there when it ends.
    const untilMs = performance.now() + 200;
    while (performance.now() < untilMs);
  }, 5);
  expect(await waiting).toBe("here");
  port1.close();
});
