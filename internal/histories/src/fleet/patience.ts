import { setTimeout as sleep } from "node:timers/promises";

/** What makes progress is waited for, however slow the machine is. Without progress for so long it hangs. */
const hangMs = 120_000;
/** A process answers each call within this, which is longer than all that it waits for by itself. */
export const answerWithinMs: number = 5 * hangMs;

/** A machine that stands still looks once afterwards, and that look is not the end: a pause counts as this at most. */
const longestPauseMs = 1_000;

export interface Waiting {
  /** @default 20 */
  readonly everyMs?: number;
  /** @default hangMs */
  readonly withoutProgressMs?: number;
}

/**
 * Looks again and again until a look shows what is awaited, or until all looks have shown the same for too long.
 *
 * @returns what the last look showed.
 */
export async function untilSeen<Seen>(
  look: () => Promise<Seen> | Seen,
  isAwaited: (seen: Seen) => boolean,
  { everyMs = 20, withoutProgressMs = hangMs }: Waiting = {},
): Promise<Seen> {
  let seen = await look();
  let known = JSON.stringify(seen);
  let sameForMs = 0;
  let lookedMs = performance.now();
  while (!isAwaited(seen) && sameForMs < withoutProgressMs) {
    await sleep(everyMs);
    seen = await look();
    const text = JSON.stringify(seen);
    const nowMs = performance.now();
    sameForMs = text === known ? sameForMs + Math.min(longestPauseMs, nowMs - lookedMs) : 0;
    [known, lookedMs] = [text, nowMs];
  }
  return seen;
}

/** Rejects when a promise takes so long that it hangs. */
export async function unlessHung<Value>(
  what: string,
  promise: Promise<Value>,
  withinMs: number = answerWithinMs,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const hung = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not end within ${withinMs} ms: it hangs`)), withinMs);
  });
  try {
    return await Promise.race([promise, hung]);
  } finally {
    clearTimeout(timer);
  }
}
