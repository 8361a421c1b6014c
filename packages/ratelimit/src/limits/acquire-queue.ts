import { createExpiringSet, createMutex, longestTimerMs, type Mutex, onAbort } from "@continuum-cache/core/kit";
import { WaitError } from "../errors/wait-error.ts";
import { withTimeout } from "../timing/timeout.ts";
import type { Decision } from "../types.ts";
import type { LimitRequest } from "./limit-request.ts";

/** How long a caller waits until it is allowed. */
export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Callers that wait until they are allowed: one queue for each key, first come, first served. */
export interface AcquireQueue {
  /**
   * Resolves when the call is allowed and charged.
   * @throws WaitError when the time is up; the signal's reason when it fires. Neither charges anything.
   */
  wait(request: LimitRequest, options: WaitOptions): Promise<Decision>;
  /** Rejects all waits. Resolves when calls that were being decided have been refunded, or after a second. */
  close(): Promise<void>;
}

/** How long a closing limiter waits for decisions that are in flight. */
const closingMs = 1_000;

export interface AcquireQueueOptions {
  readonly decide: (request: LimitRequest) => Promise<Decision>;
  /** Gives back a call that was charged after its caller had left. */
  readonly refund: (decision: Decision) => Promise<unknown>;
}

/**
 * The callers that wait for one key. Each caller sends its own request, by its own timers, when the callers before it
 * have been served or have disappeared. A caller disappears when its platform drops the request it belongs to.
 */
interface KeyQueue {
  readonly turns: Mutex;
  /** How many callers wait, including those that have disappeared. */
  waiters: number;
  /** By then all of them have been served or have timed out. */
  endMs: number;
  /** No quota is free before this, so no request is sent. */
  retryAtMs: number;
}

export function createAcquireQueue({ decide, refund }: AcquireQueueOptions): AcquireQueue {
  /** The most recently joined last, so that abandoned queues are found at the front. */
  const queues = new Map<string, KeyQueue>();
  const waits = createExpiringSet<(reason: unknown) => void>();
  const serving = createExpiringSet<Promise<unknown>>();

  const join = (key: string, timeoutMs: number): KeyQueue => {
    const nowMs = performance.now();
    for (const [oldest, { endMs }] of queues) {
      if (endMs > nowMs) break;
      queues.delete(oldest);
    }
    const queue = queues.get(key) ?? { turns: createMutex(), waiters: 0, endMs: 0, retryAtMs: 0 };
    queue.endMs = Math.max(queue.endMs, nowMs + timeoutMs);
    queue.waiters++;
    queues.delete(key);
    queues.set(key, queue);
    return queue;
  };

  const leave = (key: string, queue: KeyQueue): void => {
    queue.waiters--;
    if (queue.waiters === 0 && queues.get(key) === queue) queues.delete(key);
  };

  /** Requests decisions until the call is allowed. Undefined when the caller has left. */
  const serve = async (request: LimitRequest, queue: KeyQueue, left: AbortSignal): Promise<Decision | undefined> => {
    while (!left.aborted) {
      const ms = queue.retryAtMs - performance.now();
      if (ms > 0) {
        await sleep(ms, left);
        continue;
      }
      const decision = await decide(request);
      const waitSeconds = decision.allowed && decision.remaining > 0 ? 0 : decision.moreAfter;
      queue.retryAtMs = performance.now() + (decision.allowed ? waitSeconds : decision.retryAfter) * 1_000;
      if (!decision.allowed) continue;
      if (!left.aborted) return decision;
      await refund(decision);
    }
    return undefined;
  };

  return {
    wait(request, { timeoutMs, signal }) {
      signal?.throwIfAborted();
      return new Promise((resolve, reject) => {
        const queue = join(request.key, timeoutMs);
        const left = new AbortController();
        const end = (): void => {
          clearTimeout(timer);
          stopHearing();
          waits.delete(dismiss);
          left.abort();
        };
        const dismiss = (reason: unknown): void => {
          end();
          reject(reason);
        };
        const timer = setTimeout(() => dismiss(new WaitError(timeoutMs)), Math.min(timeoutMs, longestTimerMs));
        const stopHearing = onAbort(signal, () => dismiss(signal?.reason));
        waits.add(dismiss, timeoutMs);
        const work = queue.turns.run(() => serve(request, queue, left.signal), { timeoutMs, signal: left.signal });
        const served = work
          .then((turn) => {
            if (!turn?.result) return;
            end();
            resolve(turn.result);
          }, dismiss)
          .finally(() => {
            leave(request.key, queue);
            serving.delete(served);
          });
        serving.add(served, timeoutMs + closingMs);
      });
    },
    async close() {
      for (const dismiss of waits) dismiss(new Error("The rate limiter was closed"));
      await withTimeout(closingMs, Promise.all(serving));
    },
  };
}

const sleep = (ms: number, left: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      stopHearing();
      resolve();
    };
    const timer = setTimeout(end, Math.min(Math.ceil(ms), longestTimerMs));
    const stopHearing = onAbort(left, end);
  });
