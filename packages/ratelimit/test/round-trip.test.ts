import { MessageChannel } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { timeIsUp, withPatience } from "../src/timing/patience.ts";
import { createRoundTrip } from "../src/timing/round-trip.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the time that a caller waits for Redis", () => {
  const answers = (trip: ReturnType<typeof createRoundTrip>, ms: number, times = 1): void => {
    for (let time = 0; time < times; time++) {
      const answered = trip.begins();
      vi.advanceTimersByTime(ms);
      answered();
    }
  };

  it("is 5 seconds for connecting and the first answer, whatever the budget is", () => {
    expect(createRoundTrip(250).patienceMs()).toBe(5_000);
    expect(createRoundTrip(10_000).patienceMs()).toBe(10_000);
  });

  it("is the budget and the usual round trip, once that is known", () => {
    const near = createRoundTrip(250);
    answers(near, 1, 20);
    expect(near.patienceMs()).toBeLessThan(260);
    const far = createRoundTrip(250);
    answers(far, 900);
    expect(far.patienceMs()).toBeGreaterThanOrEqual(250 + 900);
    answers(far, 300, 20);
    expect(far.patienceMs()).toBeGreaterThanOrEqual(250 + 300);
    expect(far.patienceMs()).toBeLessThan(250 + 400);
  });

  it("includes connecting where a new connection may be needed: after a failure, after an idle time", () => {
    const trip = createRoundTrip(250);
    answers(trip, 1_200);
    answers(trip, 300, 20);
    trip.failed();
    expect(trip.patienceMs()).toBeGreaterThanOrEqual(250 + 1_200);
    answers(trip, 300, 2);
    expect(trip.patienceMs()).toBeLessThan(250 + 400);
    vi.advanceTimersByTime(3_000);
    expect(trip.patienceMs()).toBeGreaterThanOrEqual(250 + 900);
  });

  it("grows with a server that becomes slow, since late answers count too", () => {
    const trip = createRoundTrip(250);
    answers(trip, 1, 20);
    answers(trip, 600, 4);
    expect(trip.patienceMs()).toBeGreaterThan(250 + 600);
  });

  it("does not count answers that an outage has delayed as usual", () => {
    const trip = createRoundTrip(250);
    answers(trip, 1, 20);
    answers(trip, 60_000);
    answers(trip, 1, 20);
    expect(trip.patienceMs()).toBeLessThan(300);
  });

  it("is shorter than the deadline of a request", () => {
    const trip = createRoundTrip(250);
    expect(trip.deadlineMs()).toBeGreaterThanOrEqual(2 * trip.patienceMs());
    answers(trip, 1, 3);
    expect(trip.deadlineMs()).toBeGreaterThanOrEqual(3 * trip.patienceMs());
  });
});

describe("patience", () => {
  it("ends after its time", async () => {
    const waiting = withPatience(400, new Promise(() => {}));
    const told = vi.fn();
    void waiting.then(told);
    await vi.advanceTimersByTimeAsync(399);
    expect(told).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(5);
    expect(told).toHaveBeenCalledWith(timeIsUp);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("hands on the answer or the failure, and leaves no timer behind", async () => {
    expect(await withPatience(400, Promise.resolve(7))).toBe(7);
    await expect(withPatience(400, Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(vi.getTimerCount()).toBe(0);
  });
});

it("a process that stands still does not miss an answer that came meanwhile", async () => {
  vi.useRealTimers();
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => port2.once("message", resolve));
  const waiting = withPatience(80, answer);
  setTimeout(() => {
    port1.postMessage("here");
    // Longer than all of its patience, and the answer is there when it ends.
    const untilMs = performance.now() + 200;
    while (performance.now() < untilMs);
  }, 5);
  expect(await waiting).toBe("here");
  port1.close();
});
