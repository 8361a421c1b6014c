import { assertOptions, createBackoff, createCancellableSleep, onAbort, toTimeoutMs } from "@continuum-cache/core/kit";
import type { Notifier } from "../shared/notifier.ts";
import { createDueTimer } from "../shared/timing.ts";
import { createFetchPlanner, createMessageBuffer, type FetchRequest } from "./fetch-planner.ts";
import { createHandlerPool, type HandlerPool, type WorkerParts, type WorkerSettings } from "./handler-pool.ts";
import { knownStop } from "./options.ts";
import type { PriorityStream } from "./settings.ts";
import type { Handler, StopOptions, Worker } from "./types.ts";

/**
 * Keeps messages ready for the handlers of one worker. It is always in one mode, and hands out messages in all but the
 * last:
 *
 * - "idle": nothing to do until a notification arrives, a handler is free, or the poll timer fires.
 * - "fetching": one round trip takes messages from the streams that may have some.
 * - "backingOff": the last fetch has failed; it pauses before the next one.
 * - "releasing": messages that have waited too long for a handler are being given back to other workers.
 * - "stopped": it takes and hands out nothing more.
 *
 * From "idle" it goes to "releasing" if a message has waited too long, else to "fetching" if there is room; from both
 * back to "idle"; from a failed "fetching" to "backingOff", then to "idle"; by `stop` from any mode to "stopped".
 */
interface LocalQueue {
  /** These streams may have messages. */
  hint(streams: readonly PriorityStream[]): void;
  /** A handler has ended, and took this long. */
  handlerEnded(tookMs: number): void;
  /** Waits for the round trip in flight, and releases all messages that no handler works on. */
  stop(): Promise<void>;
}

type BusyMode = "fetching" | "backingOff" | "releasing";

type State =
  | { readonly mode: "idle" | "stopped" }
  | {
      readonly mode: BusyMode;
      /** Resolves when the work of this mode has ended. */
      readonly ended: Promise<void>;
    };

/** A message that has waited this long for a handler, or a third of its lease, is released to other workers. */
const longestHoldMs = 2_000;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

function createLocalQueue<Event>(
  parts: WorkerParts<Event>,
  concurrency: number,
  handlers: HandlerPool<Event>,
): LocalQueue {
  const { leaseMs, leases, reader, releaseAll } = parts;
  const { streams } = parts.keys;
  const holdMs = Math.min(longestHoldMs, leaseMs / 3);
  const buffer = createMessageBuffer<Event>(leaseMs);
  const planner = createFetchPlanner(streams, concurrency);
  const polling = createPolling(parts.pollMs, parts.notifier.channel);
  const backoff = createBackoff({ firstMs: firstPauseMs, longestMs: longestPauseMs });
  const pauses = createCancellableSleep();
  let state: State = { mode: "idle" };
  let isWoken = false;
  let isFailing = false;

  /** Advances once for all that happens in this microtask. */
  const wake = (): void => {
    if (isWoken) return;
    isWoken = true;
    queueMicrotask(advance);
  };
  const hint = (some: readonly PriorityStream[]): void => {
    for (const stream of some) planner.hinted.add(stream);
  };

  /** Stays in a busy mode until its work has ended. */
  const enter = (mode: BusyMode, work: () => Promise<unknown>): void => {
    const ended = work().then(() => {
      // A failed fetch has entered "backingOff".
      if (state !== own) return;
      state = { mode: "idle" };
      advance();
    });
    const own: State = { mode, ended };
    state = own;
  };

  const fetch = async (requests: readonly FetchRequest[]): Promise<void> => {
    const askedMs = performance.now();
    try {
      const found = await reader.read(requests);
      if (isFailing) backoff.reset();
      isFailing = false;
      planner.fetchTook(performance.now() - askedMs);
      const before = buffer.size;
      for (const [stream, taken] of found) {
        if (taken.isFull) planner.wasFull(stream);
        buffer.add(stream, taken.leases);
      }
      if (buffer.size === before) return;
      polling.pauseMs = firstPauseMs;
      parts.onTaken();
    } catch (error) {
      for (const request of requests) hint(request.streams);
      // One error event per outage.
      if (!isFailing) parts.failed("consume", error);
      isFailing = true;
      if (state.mode === "fetching") enter("backingOff", () => pauses.wait(backoff.next(), undefined));
    }
  };

  /** The transitions from "idle". */
  const leaveIdle = (): void => {
    const overdue = buffer.size > 0 ? buffer.removeBefore(performance.now() - holdMs) : [];
    const requests =
      overdue.length === 0 && planner.hinted.size > 0 ? planner.plan(handlers.working.size, buffer, leases) : [];
    if (overdue.length > 0) enter("releasing", () => releaseAll(overdue));
    else if (requests.length > 0) enter("fetching", () => fetch(requests));
    else {
      // Buffered messages are looked at in time to release them.
      const releaseMs = buffer.size > 0 ? performance.now() + holdMs / 2 : Number.POSITIVE_INFINITY;
      timer.set(Math.min(polling.nextMs(), releaseMs));
    }
  };

  const advance = (): void => {
    isWoken = false;
    if (state.mode === "stopped") return;
    if (buffer.size > 0) handlers.fill(buffer.next);
    if (state.mode === "idle") leaveIdle();
  };
  const timer = createDueTimer(() => {
    if (polling.isDue()) hint(streams);
    advance();
  });
  wake();

  return {
    hint(some) {
      hint(some);
      wake();
    },
    handlerEnded(tookMs) {
      wake();
      planner.handlerTook(tookMs);
    },
    async stop() {
      const last = state;
      state = { mode: "stopped" };
      timer.clear();
      pauses.end();
      // At once: a handler may have called this, and further handlers are being started just now.
      const left = buffer.removeBefore(Number.POSITIVE_INFINITY);
      if ("ended" in last) await last.ended;
      await releaseAll([...left, ...buffer.removeBefore(Number.POSITIVE_INFINITY)]);
    },
  };
}

/**
 * How long to wait until all streams are asked again: the poll interval, or a growing pause while no notifications
 * arrive.
 */
function createPolling(pollMs: number, channel: Pick<Notifier, "isListening">) {
  let polledMs = performance.now();
  const intervalMs = (share: number): number =>
    channel.isListening ? pollMs * share : Math.min(pollMs, polling.pauseMs);
  const polling = {
    /** The pause while no notifications arrive. */
    pauseMs: firstPauseMs,
    nextMs: (): number => polledMs + intervalMs(0.8 + 0.4 * Math.random()),
    /** Starts the next interval if this one is over. */
    isDue(): boolean {
      if (performance.now() < polledMs + intervalMs(0.8) - 1) return false;
      polling.pauseMs = Math.min(2 * polling.pauseMs, pollMs);
      polledMs = performance.now();
      return true;
    },
  };
  return polling;
}

/** @param onStopped - Called once when the worker has stopped. */
export function startWorker<Event>(
  parts: WorkerParts<Event>,
  handler: Handler<Event>,
  settings: WorkerSettings,
  onStopped: () => void,
): Worker {
  const { keys, notifier } = parts;
  const { concurrency, signal } = settings;
  let stopping: Promise<void> | undefined;

  const pool: HandlerPool<Event> = createHandlerPool<Event>({
    ...parts,
    ...settings,
    handler,
    handlerEnded: (tookMs) => localQueue.handlerEnded(tookMs),
  });
  const localQueue = createLocalQueue<Event>(parts, concurrency, pool);
  const stopListening = notifier.onWork((stream) => localQueue.hint(stream ? [stream] : keys.streams));

  const stop = async ({ timeout = "30s" }: StopOptions): Promise<void> => {
    const timeoutMs = toTimeoutMs(timeout, "timeout");
    stopHearing();
    stopListening();
    await localQueue.stop();
    await pool.finish(timeoutMs);
    onStopped();
  };
  const stopOnce = async (options: StopOptions = {}): Promise<void> => {
    assertOptions("stop", options, knownStop);
    if (options.timeout !== undefined) toTimeoutMs(options.timeout, "timeout");
    stopping ??= stop(options);
    await stopping;
  };
  const stopHearing = onAbort(signal, () => void stopOnce());
  if (signal?.aborted) void stopOnce();

  return {
    get running() {
      return pool.working.size;
    },
    stop: stopOnce,
    [Symbol.asyncDispose]: stopOnce,
  };
}
