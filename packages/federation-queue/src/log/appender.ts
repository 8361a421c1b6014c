import { createBackgroundTask, createBackoff, isUnanswered, onAbort } from "@continuum-cache/core/kit";
import { createWake } from "../shared/timing.ts";
import { type AppendContext, createBatchSender } from "./batch-sender.ts";
import { isOriginTakenError } from "./origin-taken-error.ts";
import {
  abortedError,
  closedError,
  createAppendResults,
  createPendingEvent,
  isTemporaryRefusal,
  type PendingEvent,
  timeoutError,
} from "./pending-event.ts";
import type { Appended } from "./types.ts";

/** Appends events in order: at once or, while Redis is away, as soon as it is back. */
export interface Appender {
  /** How many events wait in this process. */
  readonly pending: number;
  append(texts: readonly string[], options: AppendingOptions): Promise<readonly Appended[]>;
  /** Tries again now: the name may be free, or accepted events have to be repeated. */
  wake(): void;
  /** See `BatchSender`. */
  requeue(events: readonly PendingEvent[]): number;
  acknowledge(count: number): void;
  /** Tries to append the events that wait, within the time. @returns how many were not appended. */
  close(withinMs: number): Promise<number>;
}

export interface AppendingOptions {
  readonly fallback: boolean;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** "closing": takes no more events, and still sends those that wait. "closed": sends no more. */
type Phase = "open" | "closing" | "closed";

export function createAppender(context: AppendContext): Appender {
  const { link, settings, clock, turns, lease, window, listener } = context;
  const results = createAppendResults(link.name, settings.instanceId, settings.outbox, listener.kept);
  const sender = createBatchSender(context, results);
  const wake = createWake();
  let phase: Phase = "open";
  /** The error of the last try, until one succeeds. */
  let failure: unknown;

  /** An event does not wait for a name that a living process holds; an event that waits already goes on waiting. */
  const isRetryable = (error: unknown): boolean =>
    isOriginTakenError(error) ? !lease.hasConflict : isUnanswered(error) || isTemporaryRefusal(error);
  const keepAll = (events: readonly PendingEvent[], error: unknown): void => {
    for (const event of events) results.keep(event, error, isRetryable(error));
  };
  const rejectAll = (events: readonly PendingEvent[], error: unknown): void => {
    for (const event of events) results.reject(event, error);
  };

  const noteFailure = (error: unknown): void => {
    const isFirst = failure === undefined && !isUnanswered(error);
    const isHeard = sender.events.some(({ state }) => state === "awaited");
    if (isFirst && (!isHeard || isOriginTakenError(error))) listener.failed(error);
    failure = error;
    keepAll(sender.events, error);
  };

  const run = async (isCurrent: () => boolean): Promise<void> => {
    const backoff = createBackoff({ firstMs: 100, longestMs: 5_000 });
    /** A pause that was cut short is made again with the same length. */
    let pauseMs: number | undefined;
    sender.restart();
    // Appends of one tick are one batch.
    await Promise.resolve();
    while (isCurrent() && sender.hasWork()) {
      try {
        await lease.acquire();
        await turns.run(async () => {
          if (lease.isHeld && isCurrent()) await sender.sendOnce();
        });
        failure = undefined;
        pauseMs = undefined;
        backoff.reset();
      } catch (error) {
        noteFailure(error);
        if (phase === "closed" || !sender.hasWork()) break;
        pauseMs ??= backoff.next();
        if (!(await wake.wait(Math.max(pauseMs, lease.retryInMs)))) pauseMs = undefined;
      }
      if (phase === "closed") break;
    }
    if (isCurrent()) failure = undefined;
  };
  const running = createBackgroundTask(run);

  return {
    get pending() {
      return results.keptCount;
    },
    async append(texts, { timeoutMs, signal, fallback }) {
      if (phase !== "open") throw closedError(link.name);
      if (signal?.aborted) throw abortedError(link.name);
      const created = texts.map((text) => createPendingEvent(text, clock.next(), fallback));
      const events = created.map(([event]) => event);
      sender.add(events);
      // It belongs to a run whose call has vanished, which cannot say when it is over.
      if (!running.isRunning) failure = undefined;
      if (failure !== undefined && fallback) keepAll(events, failure);
      else if (failure !== undefined) {
        // An event that may not wait is worth a try of its own.
        lease.wake();
        wake.wake();
      }
      running.start();
      void running.superviseUntil(() => events.every(({ state }) => state !== "awaited"), { timeoutMs });
      const stopHearing = onAbort(signal, () => rejectAll(events, abortedError(link.name)));
      const timer = setTimeout(() => keepAll(events, timeoutError(link.name, timeoutMs)), timeoutMs);
      try {
        const settled = await Promise.allSettled(created.map(([, promise]) => promise));
        return settled.map((result) => {
          if (result.status === "rejected") throw result.reason;
          return result.value;
        });
      } finally {
        clearTimeout(timer);
        stopHearing();
      }
    },
    wake() {
      wake.wake();
      if (window.numbered.length > 0) running.start();
    },
    requeue: sender.requeue,
    acknowledge: sender.acknowledge,
    async close(withinMs) {
      phase = "closing";
      wake.wake();
      const timer = setTimeout(() => {
        phase = "closed";
        wake.wake();
      }, withinMs);
      await running.idle();
      clearTimeout(timer);
      phase = "closed";
      rejectAll(sender.events, closedError(link.name));
      return results.keptCount;
    },
  };
}
