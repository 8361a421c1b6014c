import { longestTimerMs } from "@continuum-cache/core";
import type { Ask } from "./ask.ts";
import type { Decision } from "./decision.ts";
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
  /** Sends everybody away. */
  close(): void;
}

export interface WaitingLinesOptions {
  readonly decide: (ask: Ask) => Promise<Decision>;
  /** Somebody left while the call was being charged. */
  readonly refund: (decision: Decision) => void;
}

interface Waiter {
  readonly ask: Ask;
  readonly admit: (decision: Decision) => void;
  readonly dismiss: (reason: unknown) => void;
}

interface Line {
  readonly waiters: Waiter[];
  /** Ends the present sleep. */
  wake: () => void;
}

export function createWaitingLines({ decide, refund }: WaitingLinesOptions): WaitingLines {
  const lines = new Map<string, Line>();

  const sleep = (line: Line, seconds: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(Math.ceil(seconds * 1_000), longestTimerMs));
      line.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  /** Only the first in the line asks, so that nobody behind can get in before. */
  const serve = async (key: string, line: Line): Promise<void> => {
    for (let waiter = line.waiters[0]; waiter; waiter = line.waiters[0]) {
      const decision = await decide(waiter.ask);
      const isStillHere = line.waiters[0] === waiter;
      if (!decision.allowed) {
        if (isStillHere) await sleep(line, decision.retryAfter);
        continue;
      }
      if (isStillHere) waiter.admit(decision);
      else refund(decision);
      const next = line.waiters[0];
      // Nothing is left for the next one yet: to ask would be in vain.
      if (next && decision.remaining === 0) await sleep(line, decision.moreAfter);
    }
    lines.delete(key);
  };

  return {
    join(ask, { timeoutMs, signal }) {
      signal?.throwIfAborted();
      return new Promise((resolve, reject) => {
        const line = lines.get(ask.key) ?? { waiters: [], wake() {} };
        const leave = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", onAbort);
          const place = line.waiters.indexOf(waiter);
          if (place >= 0) line.waiters.splice(place, 1);
          if (place === 0) line.wake();
        };
        const waiter: Waiter = {
          ask,
          admit(decision) {
            leave();
            resolve(decision);
          },
          dismiss(reason) {
            leave();
            reject(reason);
          },
        };
        const timer = setTimeout(() => waiter.dismiss(new WaitError(timeoutMs)), Math.min(timeoutMs, longestTimerMs));
        const onAbort = (): void => waiter.dismiss(signal?.reason);
        signal?.addEventListener("abort", onAbort, { once: true });
        line.waiters.push(waiter);
        if (lines.has(ask.key)) return;
        lines.set(ask.key, line);
        serve(ask.key, line).catch((error) => {
          lines.delete(ask.key);
          for (const each of [...line.waiters]) each.dismiss(error);
        });
      });
    },
    close() {
      for (const { waiters } of lines.values()) {
        for (const waiter of [...waiters]) waiter.dismiss(new Error("The rate limiter was closed"));
      }
    },
  };
}
