import type { TransportError } from "@continuum-cache/core";
import { isOutage } from "@continuum-cache/core/kit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Call, createCalls } from "../src/calls.ts";
import { failure } from "./failure.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** How a call of 1,000 ms ends whose work does this, and then never ends. */
async function endOf(work: (call: Call) => void): Promise<TransportError> {
  const ended = failure(
    createCalls(1_000).run(undefined, (call) => {
      work(call);
      return new Promise(() => {});
    }),
  );
  vi.advanceTimersByTime(1_000);
  return (await ended) as TransportError;
}

test("what a server takes to answer a first request is no wait for the connection of a second one", async () => {
  const slow = await endOf((call) => {
    call.markSent();
    vi.advanceTimersByTime(600);
    const given = call.startWaiting(() => true);
    vi.advanceTimersByTime(1);
    given();
    call.markSent();
  });
  expect(slow.message).toContain("No answer");
  expect(isOutage(slow)).toBe(true);
});

test("several waits of a call count together", async () => {
  const queued = await endOf((call) => {
    for (let nth = 0; nth < 2; nth++) {
      const given = call.startWaiting(() => true);
      vi.advanceTimersByTime(300);
      given();
      call.markSent();
    }
  });
  expect(queued).toMatchObject({ queued: true, delivery: "unknown" });
  expect(isOutage(queued)).toBe(false);
});
