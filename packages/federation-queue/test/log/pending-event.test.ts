import { TransportError } from "@continuum-cache/core";
import { expect, it } from "vitest";
import { createAppendResults, createPendingEvent, isDropped, type PendingEvent } from "../../src/log/pending-event.ts";

const away = new TransportError("unreachable", "away", { transport: "test" });

const start = (maxItems = 10) => {
  const kept: number[] = [];
  const results = createAppendResults("test", "a", { maxItems, maxBytes: 10_000 }, (count) => kept.push(count));
  return { results, kept };
};

/** An event whose rejection is no unhandled one. */
const pending = (mayWait = true): [PendingEvent, Promise<unknown>] => {
  const [event, promise] = createPendingEvent("1", 5, mayWait);
  promise.catch(() => {});
  return [event, promise];
};

it("tells the caller that the event waits, and nothing more once it was appended", async () => {
  const { results, kept } = start();
  const [event, promise] = pending();
  results.keep(event, away, true);
  await expect(promise).resolves.toEqual({ origin: "a", atMs: 5, pending: true });
  expect([kept, results.keptCount, event.state]).toEqual([[1], 1, "kept"]);
  event.id = { atMs: 5, seq: 1 };
  results.resolve(event);
  expect([results.keptCount, event.state]).toEqual([0, "settled"]);
});

it("rejects an event that may not wait, that no retry can append, or that has no room", async () => {
  const { results } = start(1);
  const [first] = pending();
  results.keep(first, away, true);
  for (const [[event, promise], isRetryable] of [
    [pending(false), true],
    [pending(), false],
    [pending(), true],
  ] as const) {
    results.keep(event, away, isRetryable);
    await expect(promise).rejects.toMatchObject({ name: "TransportError", delivery: "none" });
    expect(isDropped(event)).toBe(true);
  }
  expect(results.keptCount).toBe(1);
});

it("says that an event may be in the log when the reply to it was lost, and keeps its number then", async () => {
  const { results } = start();
  const [event, promise] = pending();
  event.isFixed = true;
  results.reject(event, new Error("refused"));
  await expect(promise).rejects.toMatchObject({ name: "TransportError", delivery: "unknown" });
  expect(isDropped(event)).toBe(false);
});

it("discards a waiting event that can never be appended, and makes room", () => {
  const { results } = start();
  const [[kept], [awaited]] = [pending(), pending()];
  results.keep(kept, away, true);
  expect([results.discard(kept, away), results.discard(awaited, away)]).toEqual([true, false]);
  expect([results.keptCount, isDropped(kept), isDropped(awaited)]).toEqual([0, true, true]);
});
