import { longestTimerMs } from "@continuum-cache/core";
import type { Ask } from "./ask.ts";
import type { Decision } from "./decision.ts";
import { withPatience } from "./patience.ts";
import { WaitError } from "./wait-error.ts";

/** How long to wait for one's turn. */
export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Callers who wait until they are allowed: one line for each key, first come, first served. */
export interface WaitingLines {
  /** @throws WaitError when the time is up; the signal's reason when it fires. Neither charges anything. */
  join(ask: Ask, options: WaitOptions): Promise<Decision>;
  /** Ends all waits. Resolves when what was being decided for them has been given back, or could not be in time. */
  close(): Promise<void>;
}

/** How long a closing limiter waits for decisions that are under way. */
const closingMs = 1_000;

export interface WaitingLinesOptions {
  readonly decide: (ask: Ask) => Promise<Decision>;
  /** A caller left while its call was being charged. */
  readonly refund: (decision: Decision) => Promise<unknown>;
}

/**
 * One caller in a line. It asks for itself, by its own timers: a caller that is gone for good holds up the others no
 * longer than it was going to wait.
 */
interface Waiter {
  /** Its wait is over by then, whether or not it says so. */
  readonly endMs: number;
  /** Ends its present sleep. */
  wake: () => void;
  readonly dismiss: (reason: unknown) => void;
}

interface Line {
  readonly waiters: Waiter[];
  /** Nothing is left before this: to ask would be in vain. */
  askAtMs: number;
}

export function createWaitingLines({ decide, refund }: WaitingLinesOptions): WaitingLines {
  const lines = new Map<string, Line>();
  const serving = new Set<Promise<unknown>>();

  const leave = (key: string, line: Line, waiter: Waiter): void => {
    const place = line.waiters.indexOf(waiter);
    if (place >= 0) line.waiters.splice(place, 1);
    if (line.waiters.length === 0 && lines.get(key) === line) lines.delete(key);
    if (place === 0) line.waiters[0]?.wake();
  };

  const sleep = (waiter: Waiter, ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(Math.ceil(ms), longestTimerMs));
      waiter.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  /** How long this waiter has to sleep before it may ask, in milliseconds. */
  const pauseMs = (line: Line, waiter: Waiter): number => {
    const nowMs = performance.now();
    while (line.waiters[0] && line.waiters[0] !== waiter && line.waiters[0].endMs <= nowMs) line.waiters.shift();
    const first = line.waiters[0] ?? waiter;
    return (first === waiter ? line.askAtMs : first.endMs) - nowMs;
  };

  /** Asks when it is this waiter's turn, until it is allowed. Undefined when the waiter has left. */
  const serve = async (ask: Ask, line: Line, waiter: Waiter): Promise<Decision | undefined> => {
    const isHere = (): boolean => line.waiters.includes(waiter);
    while (isHere()) {
      const ms = pauseMs(line, waiter);
      if (ms > 0) {
        await sleep(waiter, ms);
        continue;
      }
      const decision = await decide(ask);
      const waitSeconds = decision.allowed && decision.remaining > 0 ? 0 : decision.moreAfter;
      line.askAtMs = performance.now() + (decision.allowed ? waitSeconds : decision.retryAfter) * 1_000;
      if (!decision.allowed) continue;
      if (isHere()) return decision;
      await refund(decision);
    }
    return undefined;
  };

  return {
    join(ask, { timeoutMs, signal }) {
      signal?.throwIfAborted();
      return new Promise((resolve, reject) => {
        const line = lines.get(ask.key) ?? { waiters: [], askAtMs: 0 };
        lines.set(ask.key, line);
        const end = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", onAbort);
          leave(ask.key, line, waiter);
          waiter.wake();
        };
        const waiter: Waiter = {
          endMs: performance.now() + timeoutMs,
          wake() {},
          dismiss(reason) {
            end();
            reject(reason);
          },
        };
        const timer = setTimeout(() => waiter.dismiss(new WaitError(timeoutMs)), Math.min(timeoutMs, longestTimerMs));
        const onAbort = (): void => waiter.dismiss(signal?.reason);
        signal?.addEventListener("abort", onAbort, { once: true });
        line.waiters.push(waiter);
        const served = serve(ask, line, waiter).then((decision) => {
          if (!decision) return;
          end();
          resolve(decision);
        }, waiter.dismiss);
        serving.add(served);
        void served.finally(() => serving.delete(served));
      });
    },
    async close() {
      for (const { waiters } of [...lines.values()]) {
        for (const waiter of [...waiters]) waiter.dismiss(new Error("The rate limiter was closed"));
      }
      if (serving.size > 0) await withPatience(closingMs, Promise.all(serving));
    },
  };
}
