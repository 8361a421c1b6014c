import {
  assertOptions,
  createPauses,
  errorOf,
  isUnanswered,
  longestTimerMs,
  onAbort,
  textOf,
  toTimeoutMs,
} from "@continuum-cache/core";
import type { Doorbell } from "../doorbell/doorbell.ts";
import type { Lease } from "../lease.ts";
import { knownStop } from "../settings/known-options.ts";
import { createWake } from "../waiting/wake.ts";
import type { Handler, StopOptions, Worker } from "../worker.ts";
import type { KeepAlive } from "./keep-alive.ts";
import type { GiveBack, Held, Leases } from "./leases.ts";
import type { Note } from "./notes.ts";
import type { QueueKeys } from "./queue-keys.ts";
import { maxInFlight, type Reader } from "./reader.ts";
import { createSupply, type Order, type Supply } from "./supply.ts";

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

/** What has waited so long for a handler, or a third of a lease, is given back to other workers. */
const longestHoldMs = 2_000;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

export function startWorker<Event>(
  parts: WorkerParts<Event>,
  handler: Handler<Event>,
  { concurrency, maxDurationMs, signal }: WorkerSettings,
): Worker {
  const { keys, leaseMs, pollMs, reader } = parts;
  const supply = createSupply<Event>(keys, concurrency, leaseMs);
  const wake = createWake();
  const jobs = createJobs({
    ...parts,
    handler,
    concurrency,
    maxDurationMs,
    supply,
    isStopping: () => isStopping,
    onFree() {
      if (supply.hasHints) wake.wake();
    },
  });
  let isStopping = false;
  let stopping: Promise<void> | undefined;
  /** How long to wait after a failure, and while the doorbell is not heard. */
  let pauseMs = firstPauseMs;
  /** When all streams were last found to be worth a look. */
  let lookedMs = performance.now();

  const unlisten = parts.listen((note) => {
    if (note && note.kind !== "work") return;
    supply.hint(note && keys.byName(note.name));
    wake.wake();
  });

  const holdMs = Math.min(longestHoldMs, leaseMs / 3);
  const releaseTakenBefore = async (takenMs: number): Promise<void> => {
    const old = supply.removeBefore(takenMs);
    if (old.length > 0) await parts.giveBack(old);
  };

  const mostOfEach = (): number => Math.floor((maxInFlight - parts.leases.inFlight) / keys.sources.length);

  const fetch = async (orders: readonly Order[]): Promise<void> => {
    const askedMs = performance.now();
    try {
      const found = await reader.read(orders);
      if (!supply.add(found, performance.now() - askedMs)) return;
      pauseMs = firstPauseMs;
      parts.onTaken();
    } catch (error) {
      for (const { sources } of orders) for (const source of sources) supply.hint(source);
      throw error;
    }
  };

  const rest = async (): Promise<void> => {
    const idleMs = parts.doorbell.isHeard ? pollMs * (0.8 + 0.4 * Math.random()) : Math.min(pollMs, pauseMs);
    const leftMs = lookedMs + idleMs - performance.now();
    // What waits for a handler is given back in time.
    if (await wake.wait(Math.max(1, supply.size > 0 ? Math.min(leftMs, holdMs / 2) : leftMs))) return;
    if (performance.now() < lookedMs + idleMs - 1) return;
    pauseMs = Math.min(2 * pauseMs, pollMs);
    lookedMs = performance.now();
    supply.hint();
  };

  const run = async (): Promise<void> => {
    let failures = 0;
    while (!isStopping) {
      await releaseTakenBefore(performance.now() - holdMs);
      jobs.work();
      const orders = isStopping || !supply.hasHints ? [] : supply.orders(jobs.running, mostOfEach);
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
    await releaseTakenBefore(Number.POSITIVE_INFINITY);
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

interface JobsOptions<Event> extends Pick<WorkerParts<Event>, "keepAlive" | "giveBack" | "threw" | "failed"> {
  readonly handler: Handler<Event>;
  readonly concurrency: number;
  readonly maxDurationMs: number;
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
  const pauses = createPauses();
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
    if (failure === undefined) error = await call().catch(errorOf);
    while (error !== undefined) {
      const mayRetry = isUnanswered(error) && performance.now() + retryMs < held.expiresMs;
      if (!mayRetry || !(await pauses.wait(retryMs * (0.5 + Math.random()), undefined))) break;
      error = await call().catch(errorOf);
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
      if (held.state === "held") nack(held, textOf(error));
    } finally {
      worked.delete(held);
      wakeFinish();
      supply.handlerTook(performance.now() - startedMs);
      // A trip may be under way: what is here need not wait for it.
      work();
      options.onFree();
    }
  };
  const work = (): void => {
    while (worked.size < concurrency && !options.isStopping()) {
      const held = supply.next();
      if (!held) return;
      worked.add(held);
      held.keepUntilMs = performance.now() + options.maxDurationMs;
      keepAlive.start();
      void workOn(held);
    }
  };

  return {
    get running() {
      return worked.size;
    },
    work,
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
