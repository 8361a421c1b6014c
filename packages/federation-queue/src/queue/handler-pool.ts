import { createCancellableSleep, isUnanswered, longestTimerMs, messageOf, toError } from "@continuum-cache/core/kit";
import { createWake } from "../shared/timing.ts";
import type { KeepAlive } from "./lease-actions.ts";
import type { LeaseRecord, Leases, ReleaseAll } from "./leases.ts";
import type { QueueNotifier } from "./queue-notifier.ts";
import type { Reader } from "./reader.ts";
import type { QueueKeys } from "./settings.ts";
import type { Handler, Lease } from "./types.ts";

/** Runs handlers up to `concurrency`, and acks or nacks each message. */
export interface HandlerPool<Event> {
  /** The messages that handlers work on. */
  readonly working: ReadonlySet<LeaseRecord<Event>>;
  /** Starts handlers until all are running, or there is no next message. */
  fill(next: () => LeaseRecord<Event> | undefined): void;
  /** Waits for the handlers, and for their acks. Releases what is unfinished after this time. */
  finish(timeoutMs: number): Promise<void>;
}

/** The parts of a queue that its workers share. */
export interface WorkerParts<Event> {
  readonly keys: QueueKeys;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly reader: Reader<Event>;
  readonly keepAlive: KeepAlive;
  readonly releaseAll: ReleaseAll;
  readonly leases: Leases<Event>;
  readonly notifier: QueueNotifier;
  /** Leases were taken. */
  onTaken(): void;
  /** The handler threw or rejected. */
  threw(lease: Lease<Event>, attempt: number, error: unknown): void;
  failed(operation: string, error: unknown, id?: string): void;
}

/** The checked options of `consume`. */
export interface WorkerSettings {
  readonly concurrency: number;
  readonly maxDurationMs: number;
  readonly signal?: AbortSignal;
}

/** What the pool needs of its worker. */
interface HandlerPoolOptions<Event> extends WorkerParts<Event>, WorkerSettings {
  readonly handler: Handler<Event>;
  handlerEnded(tookMs: number): void;
}

const retryMs = 250;

export function createHandlerPool<Event>(options: HandlerPoolOptions<Event>): HandlerPool<Event> {
  const { handler, concurrency, keepAlive, failed } = options;
  const working = new Set<LeaseRecord<Event>>();
  const pauses = createCancellableSleep();
  const progress = createWake();
  /** How many acks and nacks are in flight, or are tried again. Their handlers have ended. */
  let settling = 0;
  let isFinishing = false;

  const settled = (): void => {
    settling--;
    if (isFinishing) progress.wake();
  };
  /** Tries again during an outage, as long as the lease lasts: else finished work would be done twice. */
  const settle = async (
    record: LeaseRecord<Event>,
    operation: "ack" | "nack",
    call: () => Promise<void>,
    failure?: unknown,
  ): Promise<void> => {
    let error = failure ?? (await call().catch(toError));
    while (error !== undefined) {
      const mayRetry = isUnanswered(error) && performance.now() + retryMs < record.expiresMs;
      if (!mayRetry || !(await pauses.wait(retryMs * (0.5 + Math.random()), undefined))) break;
      error = await call().catch(toError);
    }
    if (error !== undefined) {
      // Its handler has ended: a lease that is still extended would keep the message from other workers.
      record.extendUntilMs = 0;
      failed(operation, error, record.lease.id);
    }
    settled();
  };
  /** Only a failed ack costs a promise. */
  const ack = (record: LeaseRecord<Event>): void => {
    settling++;
    record.ack((error) => {
      if (error) void settle(record, "ack", () => record.lease.ack(), error);
      else settled();
    });
  };
  const nack = (record: LeaseRecord<Event>, reason: string): void => {
    settling++;
    void settle(record, "nack", () => record.lease.nack({ reason }));
  };

  const run = async (record: LeaseRecord<Event>): Promise<void> => {
    const { lease } = record;
    const { attempt } = lease;
    const startedMs = performance.now();
    try {
      await handler(lease.event, lease);
      // After a nack that failed the lease expires, and the message is given out again.
      if (record.mustNotAck) record.extendUntilMs = 0;
      else if (record.state === "held") ack(record);
    } catch (error) {
      options.threw(lease, attempt, error);
      // The handler has settled the message before it threw: it stays settled.
      if (record.state === "over" && !record.isLost) failed("handler", error, lease.id);
      if (record.state === "held") nack(record, messageOf(error));
    } finally {
      working.delete(record);
      if (isFinishing) progress.wake();
      options.handlerEnded(performance.now() - startedMs);
    }
  };

  return {
    working,
    fill(next) {
      if (performance.now() >= keepAlive.onUntilMs) keepAlive.start();
      while (working.size < concurrency) {
        const record = next();
        if (!record) return;
        working.add(record);
        record.extendUntilMs = performance.now() + options.maxDurationMs;
        void run(record);
      }
    },
    async finish(timeoutMs) {
      isFinishing = true;
      const endMs = performance.now() + timeoutMs;
      while (working.size > 0 && performance.now() < endMs) await progress.wait(endMs - performance.now());
      pauses.end();
      const unfinished = [...working];
      await options.releaseAll(unfinished);
      for (const record of unfinished) record.lose();
      while (settling > 0) await progress.wait(longestTimerMs);
    },
  };
}
