import { getEventListeners } from "node:events";
import { Cache, guarded } from "@continuum-cache/core";
import { createCancellableSleep, onAbort, withDeadline } from "@continuum-cache/core/kit";
import { afterEach, describe, expect, it, vi } from "vitest";
import { empty, recordingTransport } from "../recording-transport.ts";

describe("listening to a signal", () => {
  const warned = vi.fn();
  process.on("warning", warned);
  afterEach(() => void warned.mockClear());

  const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

  it("puts one listener on a signal for all calls, and none when they are over", () => {
    const { signal } = new AbortController();
    const stops = Array.from({ length: 50 }, () => onAbort(signal, () => {}));
    expect(listenersOf(signal)).toBe(1);
    for (const stop of stops) stop();
    for (const stop of stops) stop();
    expect(listenersOf(signal)).toBe(0);
  });

  it("calls each listener once, but not one that was stopped", () => {
    const controller = new AbortController();
    const [kept, stopped] = [vi.fn(), vi.fn()];
    onAbort(controller.signal, kept);
    onAbort(controller.signal, kept);
    onAbort(controller.signal, stopped)();
    controller.abort();
    expect([kept.mock.calls.length, stopped.mock.calls.length]).toEqual([2, 0]);
    expect(listenersOf(controller.signal)).toBe(0);
    onAbort(undefined, kept)();
    onAbort(controller.signal, kept)();
    expect(kept).toHaveBeenCalledTimes(2);
  });

  it("lets any number of calls share a signal without a warning", async () => {
    const { signal } = new AbortController();
    const cache = new Cache({ transport: guarded(recordingTransport(empty)) });
    const pauses = createCancellableSleep();
    const calls = Array.from({ length: 30 }, (_, at) => [
      cache.get(`k${at}`, { signal }),
      cache.getOrSet(`g${at}`, () => at, { signal }),
      cache.set(`k${at}`, at, { signal }),
      withDeadline("test", { signal }, async () => 1),
      pauses.wait(1, signal),
    ]);
    await Promise.all(calls.flat());
    await new Promise((resolve) => setImmediate(resolve));
    expect(warned).not.toHaveBeenCalled();
    expect(listenersOf(signal)).toBe(0);
  });
});
