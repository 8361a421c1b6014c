import { isTransportError, TransportError } from "@continuum-cache/core";
import {
  abortedError,
  chunked,
  closedError,
  createBackgroundTask,
  createBackoff,
  isUnanswered,
  type Mutex,
  onAbort,
} from "@continuum-cache/core/kit";
import { isTemporaryRefusal } from "../shared/outbox.ts";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { createWake } from "../shared/timing.ts";
import { type AppendAnswer, appendScript, readAppendAnswer } from "./append-script.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import type { OriginLease } from "./origin-lease.ts";
import { isOriginTakenError } from "./origin-taken-error.ts";
import {
  type AppendResults,
  blockedError,
  createAppendResults,
  createPendingEvent,
  isDropped,
  isTooLarge,
  type PendingEvent,
} from "./pending-event.ts";
import type { ProducerWindow } from "./producer-window.ts";
import type { LogSettings } from "./settings.ts";
import { type StreamId, writeId } from "./stream.ts";
import type { Appended } from "./types.ts";

/** Appends events in order: at once or, while Redis is away, as soon as it is back. */
export interface Appender {
  /** How many events wait in this process. */
  readonly pending: number;
  append(texts: readonly string[], options: AppendingOptions): Promise<readonly Appended[]>;
  /** Tries again now: the name may be free, or accepted events have to be repeated. */
  wake(): void;
  /** The first of the numbered events are in the stream. */
  acknowledge(count: number): void;
  /**
   * The numbers of these events are void: they are appended again, before all others, but for events that Redis had
   * accepted.
   *
   * @returns how many are not appended again.
   */
  requeue(events: readonly PendingEvent[]): number;
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

  const timeoutError = (timeoutMs: number): TransportError =>
    new TransportError("timeout", `No answer within ${timeoutMs} ms`, { transport: link.name });
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
      if (phase !== "open") throw closedError(link.name, "log");
      if (signal?.aborted) throw abortedError(link.name, signal);
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
      const stopHearing = onAbort(signal, () => rejectAll(events, abortedError(link.name, signal)));
      const timer = setTimeout(() => keepAll(events, timeoutError(timeoutMs)), timeoutMs);
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
      rejectAll(sender.events, closedError(link.name, "log"));
      return results.keptCount;
    },
  };
}

/** What appending needs of its log. */
export interface AppendContext {
  readonly link: PrimaryClient;
  readonly settings: LogSettings;
  readonly clock: HybridClock;
  /** Calls that read or write the name or its stream take turns. */
  readonly turns: Mutex;
  readonly lease: OriginLease;
  readonly window: ProducerWindow;
  readonly listener: AppenderListener;
}

/** Called when events were appended, wait, or failed. */
export interface AppenderListener {
  appended(): void;
  kept(pending: number): void;
  /** So many events that a failover had lost were appended again. */
  repaired(count: number): void;
  /** The stream ends with this id, which was not expected. Called within a turn. */
  behind(last: StreamId): void;
  /** No caller waits for the result that failed. */
  failed(error: unknown): void;
}

/** What one batch carries at most; one event may be larger. */
const mostPerBatch = 200;
const mostBatchBytes = 256 << 10;

/** Gives numbers to events and sends them in order, batch by batch. */
function createBatchSender(context: AppendContext, results: AppendResults) {
  const { settings, window, lease, listener } = context;
  /** Events without a number, in order. */
  let waiting: PendingEvent[] = [];
  let mostEvents = mostPerBatch;
  let repeated = 0;

  /** Whether there are events to send. Forgets those that no caller waits for. */
  const hasWork = (): boolean => {
    window.prune();
    if (waiting.some(isDropped)) waiting = waiting.filter((event) => !isDropped(event));
    return waiting.length > 0 || window.numbered.length > 0;
  };

  /** The first of the numbered events are in the stream. */
  const acknowledge = (count: number): void => {
    const done = window.numbered.slice(0, count);
    repeated += done.filter(({ isRepeat }) => isRepeat).length;
    window.acknowledge(count);
    for (const event of done) results.resolve(event);
    if (done.length > 0) listener.appended();
    if (repeated === 0 || window.numbered.some(({ isRepeat }) => isRepeat)) return;
    listener.repaired(repeated);
    repeated = 0;
  };

  return {
    /** All events that are not accepted yet, in order. */
    get events(): readonly PendingEvent[] {
      return [...window.numbered, ...waiting];
    },
    hasWork,
    add(events: readonly PendingEvent[]): void {
      waiting.push(...events);
    },
    /** Sends one batch, within a turn. @throws TransportError, CommandError, or an error that names a foreign entry. */
    async sendOnce(): Promise<void> {
      // An event that its caller gave up while it waited for the turn must not be sent.
      if (!hasWork()) return;
      if (window.numbered.length === 0) window.assign(waiting.splice(0, batchOf(waiting, mostEvents).length));
      const batch = batchOf(window.numbered, mostEvents);
      if (batch.length === 0) return;
      for (const event of batch) event.isSent = true;
      try {
        const answer = await sendBatch(context, batch);
        if (answer.kind === "appended") acknowledge(batch.length);
        else if (answer.kind === "lost") lease.markLost();
        else if (answer.kind === "blocked") throw blockedError(settings.instanceId, answer.lastId);
        else listener.behind(answer.last);
      } catch (error) {
        if (isTransportError(error) && error.delivery === "unknown") for (const event of batch) event.isFixed = true;
        if (!isTooLarge(error)) throw error;
        // The events of a batch that was too large go one by one, and a single one is given up.
        if (batch.length > 1) mostEvents = 1;
        else for (const event of batch) if (results.discard(event, error)) listener.failed(error);
      } finally {
        for (const event of batch) event.isSent = false;
      }
    },
    acknowledge,
    requeue(events: readonly PendingEvent[]): number {
      const again = events.filter(({ state, isRepeat }) => state !== "settled" && !isRepeat);
      for (const event of again) {
        event.isFixed = false;
        delete event.id;
      }
      waiting.unshift(...again);
      return events.length - again.length;
    },
    /** A new run begins. Events that a run without an end had sent may be in the stream. */
    restart(): void {
      mostEvents = mostPerBatch;
      for (const event of window.numbered) if (event.isSent) Object.assign(event, { isFixed: true, isSent: false });
    },
  };
}

/** The first of these events, as many as one batch may carry. */
const batchOf = (events: readonly PendingEvent[], mostEvents: number): readonly PendingEvent[] => {
  const limits = { items: mostEvents, size: mostBatchBytes, sizeOf: ({ bytes }: PendingEvent) => bytes };
  return chunked(events.slice(0, mostEvents), limits)[0] ?? [];
};

async function sendBatch(
  { link, settings, lease, clock, window }: AppendContext,
  batch: readonly PendingEvent[],
): Promise<AppendAnswer> {
  const { keys, instanceId, leaseMs, retentionMs } = settings;
  // Trims no event that is young by either clock.
  const floorMs = Math.min(clock.serverMs, batch[0]?.id?.atMs ?? 0) - retentionMs;
  const renewalMs = lease.isRenewalDue ? leaseMs : "";
  const events = batch.flatMap(({ id, text }) => (id ? [writeId(id), text] : []));
  const args = [instanceId, lease.token, window.after, floorMs > 0 ? floorMs : "", renewalMs, ...events];
  const answer = readAppendAnswer(await link.run(appendScript, [keys.registry, keys.stream(instanceId)], args));
  if (answer.kind === "appended" && answer.nowMs !== undefined) lease.markRenewed(answer.nowMs);
  return answer;
}
