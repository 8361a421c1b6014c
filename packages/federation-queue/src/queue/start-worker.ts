import { assertOptions, onAbort, toTimeoutMs } from "@continuum-cache/core";
import type { Lease } from "../lease.ts";
import { knownStop } from "../settings/known-options.ts";
import { createWake } from "../waiting/wake.ts";
import type { Handler, StopOptions, Worker } from "../worker.ts";
import { createBuffers } from "./buffers.ts";
import { createDemand, type Order } from "./demand.ts";
import type { GiveBack } from "./give-back.ts";
import { createHands } from "./hands.ts";
import type { KeepAlive } from "./keep-alive.ts";
import type { Held } from "./leases.ts";
import type { Note } from "./notes.ts";
import { createPrefetch } from "./prefetch.ts";
import type { QueueKeys } from "./queue-keys.ts";
import { maxInFlight, type Reader } from "./reader.ts";

/** What a worker works with. */
export interface WorkerParts<Event> {
  readonly keys: QueueKeys;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly reader: Reader<Event>;
  readonly keepAlive: KeepAlive;
  readonly giveBack: GiveBack;
  readonly inFlight: () => number;
  readonly isHeard: () => boolean;
  /** Calls back with each note; with undefined when something may have been missed. Returns what stops it. */
  listen(onNote: (note: Note | undefined) => void): () => void;
  /** Leases were taken. */
  onTaken(): void;
  onStopped(): void;
  threw(lease: Lease<Event>, attempt: number, error: unknown): void;
  failed(operation: string, error: unknown, id?: string): void;
}

/** How a worker works, checked. */
export interface WorkerSettings {
  readonly concurrency: number;
  readonly maxDurationMs: number;
  readonly signal?: AbortSignal;
}

/** Who waits so long for a hand, or a third of a lease, is somebody else's work. */
const longestHoldMs = 2_000;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

export function startWorker<Event>(
  parts: WorkerParts<Event>,
  handler: Handler<Event>,
  { concurrency, maxDurationMs, signal }: WorkerSettings,
): Worker {
  const { keys, leaseMs, pollMs, reader } = parts;
  const buffers = createBuffers<Event>();
  const demand = createDemand(keys);
  const prefetch = createPrefetch(concurrency);
  const wake = createWake();
  const hands = createHands({
    handler,
    maxDurationMs,
    keepAlive: parts.keepAlive,
    prefetch,
    giveBack: parts.giveBack,
    onFree() {
      // A trip may be under way: what is here need not wait for it.
      work();
      wake.wake();
    },
    threw: parts.threw,
    failed: parts.failed,
  });
  /** Were taken up too late. */
  const late: Held<Event>[] = [];
  let isStopping = false;
  let stopping: Promise<void> | undefined;
  /** How long to wait after a failure, and while the doorbell is not heard. */
  let pauseMs = firstPauseMs;
  /** When all streams were last found to be worth a look. */
  let lookedMs = performance.now();

  const unlisten = parts.listen((note) => {
    if (note && note.kind !== "work") return;
    demand.hint(note && keys.byName(note.name));
    wake.wake();
  });

  const holdMs = Math.min(longestHoldMs, leaseMs / 3);
  const releaseOld = (): Promise<void> =>
    parts.giveBack([...late.splice(0), ...buffers.removeBefore(performance.now() - holdMs)]);

  function work(): void {
    while (!isStopping && hands.running < concurrency) {
      const held = buffers.next();
      if (!held) return;
      // Too little is left of its time for it to be extended for sure.
      if (held.expiresMs - performance.now() < leaseMs / 2) late.push(held);
      else if (held.state === "held") hands.work(held);
    }
  }

  const wanted = (): readonly Order[] => {
    const { ahead } = prefetch;
    const room = concurrency + ahead - hands.running - buffers.size;
    // Small refills cost as much as large ones.
    if (room < 1 || (hands.running >= concurrency && buffers.size > ahead / 2)) return [];
    const left = Math.floor((maxInFlight - parts.inFlight()) / keys.sources.length);
    return demand.next({
      count: Math.min(room, left),
      isQuick: ahead >= concurrency,
      hasEnough: (source) => buffers.sizeOf(source) > ahead / 2,
    });
  };

  const fetch = async (orders: readonly Order[]): Promise<void> => {
    const askedMs = performance.now();
    try {
      const found = await reader.read(orders);
      prefetch.tripTook(performance.now() - askedMs);
      for (const [source, { leases, isFull }] of found) {
        if (isFull) demand.isFull(source);
        if (leases.length === 0) continue;
        pauseMs = firstPauseMs;
        parts.onTaken();
        buffers.add(source, leases);
      }
    } catch (error) {
      for (const { sources } of orders) for (const source of sources) demand.hint(source);
      throw error;
    }
  };

  const rest = async (): Promise<void> => {
    const idleMs = parts.isHeard() ? pollMs * (0.8 + 0.4 * Math.random()) : Math.min(pollMs, pauseMs);
    const leftMs = lookedMs + idleMs - performance.now();
    // What waits for a hand is given back in time.
    if (await wake.wait(Math.max(1, buffers.size > 0 ? Math.min(leftMs, holdMs / 2) : leftMs))) return;
    if (performance.now() < lookedMs + idleMs - 1) return;
    pauseMs = Math.min(2 * pauseMs, pollMs);
    lookedMs = performance.now();
    demand.hint();
  };

  const run = async (): Promise<void> => {
    let failures = 0;
    while (!isStopping) {
      await releaseOld();
      work();
      const orders = isStopping ? [] : wanted();
      if (orders.length === 0) {
        if (!isStopping) await rest();
        continue;
      }
      try {
        await fetch(orders);
        failures = 0;
      } catch (error) {
        // One word for a whole outage is enough.
        if (failures === 0) parts.failed("consume", error);
        const ms = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures++, 10));
        const endMs = performance.now() + ms * (0.5 + Math.random());
        while (!isStopping && performance.now() < endMs) await wake.wait(endMs - performance.now());
      }
    }
  };
  const ran = run();

  const stop = async ({ timeout = "30s" }: StopOptions): Promise<void> => {
    const timeoutMs = toTimeoutMs(timeout, "timeout");
    isStopping = true;
    stopHearing();
    unlisten();
    wake.wake();
    await ran;
    await parts.giveBack([...late.splice(0), ...buffers.removeBefore(Number.POSITIVE_INFINITY)]);
    await hands.finish(timeoutMs);
    parts.onStopped();
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
      return hands.running;
    },
    stop: stopOnce,
    [Symbol.asyncDispose]: stopOnce,
  };
}
