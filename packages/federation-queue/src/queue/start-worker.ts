import {
  assertOptions,
  createCancellableSleep,
  isUnanswered,
  longestTimerMs,
  messageOf,
  onAbort,
  toError,
  toTimeoutMs,
} from "@continuum-cache/core/kit";
import type { Doorbell } from "../shared/doorbell/doorbell.ts";
import { createWake } from "../shared/wake.ts";
import type { KeepAlive } from "./keep-alive.ts";
import { knownStop } from "./known-options.ts";
import type { GiveBack, Held, Leases } from "./leases.ts";
import type { QueueKeys, Source } from "./queue-keys.ts";
import type { Reader } from "./reader.ts";
import { createSupply, type Order, type Supply } from "./supply.ts";
import type { Handler, Lease, StopOptions, Worker } from "./types.ts";

/** What a worker works with. */
export interface WorkerParts<Event> {
  readonly keys: QueueKeys;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly reader: Reader<Event>;
  readonly keepAlive: KeepAlive;
  readonly giveBack: GiveBack;
  readonly leases: Leases<Event>;
  readonly doorbell: Pick<Doorbell, "isHeard">;
  /** Calls back when a stream got something; with undefined when any may have. Returns what stops it. */
  listen(onWork: (source: Source | undefined) => void): () => void;
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

/** What has waited so long for a handler, or a third of a lease, is given back to other workers. */
const longestHoldMs = 2_000;
const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** A timer that is late by so much has vanished with the call that set it. */
const lostTimerMs = 5_000;

export function startWorker<Event>(
  parts: WorkerParts<Event>,
  handler: Handler<Event>,
  settings: WorkerSettings,
): Worker {
  const { keys, leaseMs, pollMs, reader, leases } = parts;
  const { concurrency, signal } = settings;
  const supply = createSupply<Event>(keys, concurrency, leaseMs);
  const pauses = createCancellableSleep();
  /** What has to be over before it goes on: a trip, or a pause after one that failed. */
  let busy: Promise<void> | undefined;
  let isStopping = false;
  let stopping: Promise<void> | undefined;
  let failures = 0;
  /** How long to wait while the doorbell is not heard. */
  let pauseMs = firstPauseMs;
  /** When all streams were last found to be worth a look. */
  let lookedMs = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let timerAtMs = Number.POSITIVE_INFINITY;
  let isAwake = false;

  /** Has it go on soon, once for all that happens until then. */
  const wake = (): void => {
    if (isAwake) return;
    isAwake = true;
    queueMicrotask(goOn);
  };
  const jobs = createJobs({ ...parts, ...settings, handler, supply, isStopping: () => isStopping, onFree: wake });

  const hint = (sources: readonly Source[]): void => {
    for (const source of sources) supply.hinted.add(source);
  };
  const unlisten = parts.listen((source) => {
    hint(source ? [source] : keys.sources);
    wake();
  });

  const holdMs = Math.min(longestHoldMs, leaseMs / 3);

  const fetch = async (orders: readonly Order[]): Promise<void> => {
    const askedMs = performance.now();
    try {
      const found = await reader.read(orders);
      failures = 0;
      if (!supply.add(found, performance.now() - askedMs)) return;
      pauseMs = firstPauseMs;
      parts.onTaken();
    } catch (error) {
      for (const { sources } of orders) hint(sources);
      // One word for a whole outage is enough.
      if (failures === 0) parts.failed("consume", error);
      const ms = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures++, 10));
      await pauses.wait(ms * (0.5 + Math.random()), undefined);
    }
  };

  const idleMs = (share: number): number => (parts.doorbell.isHeard ? pollMs * share : Math.min(pollMs, pauseMs));
  /** Until something happens, or it is time to look by itself. */
  const rest = (): void => {
    const nowMs = performance.now();
    const lookMs = lookedMs + idleMs(0.8 + 0.4 * Math.random());
    // What waits for a handler is given back in time.
    const atMs = Math.min(lookMs, supply.size > 0 ? nowMs + holdMs / 2 : Number.POSITIVE_INFINITY);
    if (timerAtMs <= atMs && nowMs < timerAtMs + lostTimerMs) return;
    clearTimeout(timer);
    timerAtMs = atMs;
    timer = setTimeout(look, Math.max(1, atMs - nowMs));
  };
  const look = (): void => {
    timerAtMs = Number.POSITIVE_INFINITY;
    if (performance.now() >= lookedMs + idleMs(0.8) - 1) {
      pauseMs = Math.min(2 * pauseMs, pollMs);
      lookedMs = performance.now();
      hint(keys.sources);
    }
    goOn();
  };

  const freed = (): void => {
    busy = undefined;
    goOn();
  };
  /** Begins with what is here, gives back what has waited too long, and asks for more. */
  const goOn = (): void => {
    isAwake = false;
    if (isStopping) return;
    if (supply.size > 0) jobs.work();
    if (busy || isStopping) return;
    const old = supply.size > 0 ? supply.removeBefore(performance.now() - holdMs) : [];
    if (old.length > 0) busy = parts.giveBack(old).then(freed);
    const orders = !busy && supply.hinted.size > 0 ? supply.orders(jobs.running, leases.room) : [];
    if (orders.length > 0) busy = fetch(orders).then(freed);
    if (!busy) rest();
  };
  wake();

  const stop = async ({ timeout = "30s" }: StopOptions): Promise<void> => {
    const timeoutMs = toTimeoutMs(timeout, "timeout");
    isStopping = true;
    stopHearing();
    unlisten();
    clearTimeout(timer);
    pauses.end();
    await busy;
    await parts.giveBack(supply.removeBefore(Number.POSITIVE_INFINITY));
    await jobs.finish(timeoutMs);
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
      return jobs.running;
    },
    stop: stopOnce,
    [Symbol.asyncDispose]: stopOnce,
  };
}

/** The messages that handlers work on, each of which is settled in the end. */
interface Jobs {
  readonly running: number;
  /** Begins with as many messages as there are, and may be worked on at once. */
  work(): void;
  /** Waits for all of them, for so long; what is unfinished then is given back. */
  finish(timeoutMs: number): Promise<void>;
}

interface JobsOptions<Event> extends WorkerParts<Event>, WorkerSettings {
  readonly handler: Handler<Event>;
  readonly supply: Supply<Event>;
  /** Nothing more is begun. */
  readonly isStopping: () => boolean;
  /** A handler has ended. */
  onFree(): void;
}

const retryMs = 250;

function createJobs<Event>(options: JobsOptions<Event>): Jobs {
  const { handler, concurrency, supply, keepAlive, failed } = options;
  const progress = createWake();
  let isFinishing = false;
  const pauses = createCancellableSleep();
  const worked = new Set<Held<Event>>();
  /** So many are being settled, which goes on when the handler has ended already. */
  let settling = 0;

  const wakeFinish = (): void => {
    if (isFinishing) progress.wake();
  };
  const isSettled = (): void => {
    settling--;
    wakeFinish();
  };
  /** What is done is not to be done again because Redis was away a while: it is tried as long as the lease lasts. */
  const settle = async (
    held: Held<Event>,
    operation: "ack" | "nack",
    call: () => Promise<void>,
    failure?: unknown,
  ): Promise<void> => {
    let error = failure;
    if (failure === undefined) error = await call().catch(toError);
    while (error !== undefined) {
      const mayRetry = isUnanswered(error) && performance.now() + retryMs < held.expiresMs;
      if (!mayRetry || !(await pauses.wait(retryMs * (0.5 + Math.random()), undefined))) break;
      error = await call().catch(toError);
    }
    if (error !== undefined) {
      // No handler works on it any more: a lease that was extended still would keep it from other workers.
      held.keepUntilMs = 0;
      failed(operation, error, held.lease.id);
    }
    isSettled();
  };
  /** A promise for each message would be dear: there is one for those that fail. */
  const ack = (held: Held<Event>): void => {
    settling++;
    held.ack((error) => {
      if (error) return void settle(held, "ack", () => held.lease.ack(), error);
      isSettled();
    });
  };
  const nack = (held: Held<Event>, reason: string): void => {
    settling++;
    void settle(held, "nack", () => held.lease.nack({ reason }));
  };

  const workOn = async (held: Held<Event>): Promise<void> => {
    const { lease } = held;
    const { attempt } = lease;
    const startedMs = performance.now();
    try {
      await handler(lease.event, lease);
      // A nack that did not get through is no reason to ack: the lease ends by itself, and the message comes again.
      if (held.isUnwanted) held.keepUntilMs = 0;
      else if (held.state === "held") ack(held);
    } catch (error) {
      options.threw(lease, attempt, error);
      // What it has settled before is not to be failed.
      if (held.state === "over" && !held.isLost) failed("handler", error, lease.id);
      if (held.state === "held") nack(held, messageOf(error));
    } finally {
      worked.delete(held);
      wakeFinish();
      supply.handlerTook(performance.now() - startedMs);
      options.onFree();
    }
  };

  return {
    get running() {
      return worked.size;
    },
    work() {
      if (performance.now() >= keepAlive.onUntilMs) keepAlive.start();
      while (worked.size < concurrency && !options.isStopping()) {
        const held = supply.next();
        if (!held) return;
        worked.add(held);
        held.keepUntilMs = performance.now() + options.maxDurationMs;
        void workOn(held);
      }
    },
    async finish(timeoutMs) {
      isFinishing = true;
      const endMs = performance.now() + timeoutMs;
      while (worked.size > 0 && performance.now() < endMs) await progress.wait(endMs - performance.now());
      pauses.end();
      const unfinished = [...worked];
      await options.giveBack(unfinished);
      for (const held of unfinished) held.lose();
      while (settling > 0) await progress.wait(longestTimerMs);
    },
  };
}
