import { createExpiringSet, createTurns, longestTimerMs, onAbort, type Turns } from "@continuum-cache/core/kit";
import { WaitError } from "../errors/wait-error.ts";
import { withPatience } from "../timing/patience.ts";
import type { Decision } from "../types.ts";
import type { LimitRequest } from "./limit-request.ts";

/** How long to wait for one's turn. */
export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Callers who wait until they are allowed: one line for each key, first come, first served. */
export interface AcquireQueue {
  /** @throws WaitError when the time is up; the signal's reason when it fires. Neither charges anything. */
  wait(request: LimitRequest, options: WaitOptions): Promise<Decision>;
  /** Ends all waits. Resolves when what was being decided for them has been given back, or could not be in time. */
  close(): Promise<void>;
}

/** How long a closing limiter waits for decisions that are under way. */
const closingMs = 1_000;

export interface AcquireQueueOptions {
  readonly decide: (request: LimitRequest) => Promise<Decision>;
  /** A caller left while its call was being charged. */
  readonly refund: (decision: Decision) => Promise<unknown>;
}

/**
 * The callers that wait for one key. Each asks for itself, by its own timers, when those before it are done or gone for
 * good.
 */
interface KeyQueue {
  readonly turns: Turns;
  /** How many wait, those included that are gone for good. */
  waiters: number;
  /** By then all of them are done or gone. */
  endMs: number;
  /** Nothing is left before this: to ask would be in vain. */
  retryAtMs: number;
}

export function createAcquireQueue({ decide, refund }: AcquireQueueOptions): AcquireQueue {
  const lines = new Map<string, KeyQueue>();
  const waits = createExpiringSet<(reason: unknown) => void>();
  const serving = createExpiringSet<Promise<unknown>>();

  /** The line of a key, as the latest of all: the lines that have been left without a word are the first ones. */
  const lineOf = (key: string, timeoutMs: number): KeyQueue => {
    const nowMs = performance.now();
    for (const [oldest, { endMs }] of lines) {
      if (endMs > nowMs) break;
      lines.delete(oldest);
    }
    const line = lines.get(key) ?? { turns: createTurns(), waiters: 0, endMs: 0, retryAtMs: 0 };
    line.endMs = Math.max(line.endMs, nowMs + timeoutMs);
    line.waiters++;
    lines.delete(key);
    lines.set(key, line);
    return line;
  };

  const leave = (key: string, line: KeyQueue): void => {
    line.waiters--;
    if (line.waiters === 0 && lines.get(key) === line) lines.delete(key);
  };

  /** Asks until the call is allowed. Undefined when the caller has left. */
  const serve = async (request: LimitRequest, line: KeyQueue, left: AbortSignal): Promise<Decision | undefined> => {
    while (!left.aborted) {
      const ms = line.retryAtMs - performance.now();
      if (ms > 0) {
        await sleep(ms, left);
        continue;
      }
      const decision = await decide(request);
      const waitSeconds = decision.allowed && decision.remaining > 0 ? 0 : decision.moreAfter;
      line.retryAtMs = performance.now() + (decision.allowed ? waitSeconds : decision.retryAfter) * 1_000;
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
        const line = lineOf(request.key, timeoutMs);
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
        const work = line.turns.take(() => serve(request, line, left.signal), { timeoutMs, signal: left.signal });
        const served = work
          .then((turn) => {
            if (!turn?.result) return;
            end();
            resolve(turn.result);
          }, dismiss)
          .finally(() => {
            leave(request.key, line);
            serving.delete(served);
          });
        serving.add(served, timeoutMs + closingMs);
      });
    },
    async close() {
      for (const dismiss of waits) dismiss(new Error("The rate limiter was closed"));
      await withPatience(closingMs, Promise.all(serving));
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
