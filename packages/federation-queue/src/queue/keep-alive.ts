import type { Held } from "./leases.ts";

/** Extends the leases that handlers work on, until they are settled or have taken too long. */
export interface KeepAlive {
  /** A handler is about to work: see `keepUntilMs` of its lease. Until `onUntilMs` it need not be told of more. */
  start(): void;
  /** By `performance.now()`. */
  readonly onUntilMs: number;
  close(): void;
}

const off = Number.NEGATIVE_INFINITY;

/**
 * @param all - The leases of this process.
 * @param extendAll - Tells which of them are held no more.
 */
export function createKeepAlive(
  leaseMs: number,
  all: () => readonly Held[],
  extendAll: (held: readonly Held[]) => Promise<readonly Held[]>,
  onError: (error: unknown) => void,
): KeepAlive {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  let hasFailed = false;

  /** Those that handlers work on, or have worked on and could not settle. */
  const kept = (): readonly Held[] =>
    all().filter(({ keepUntilMs, state }) => keepUntilMs !== undefined && state !== "over");

  const extend = async (meant: readonly Held[], askedMs: number): Promise<void> => {
    try {
      const lost = new Set(await extendAll(meant));
      for (const held of meant) {
        if (!lost.has(held)) held.expiresMs = Math.max(held.expiresMs, askedMs + leaseMs);
        else if (held.state === "held") held.lose();
      }
      hasFailed = false;
    } catch (error) {
      // One word for a whole outage is enough.
      if (!hasFailed) onError(error);
      hasFailed = true;
    }
  };

  const tick = async (): Promise<void> => {
    const askedMs = performance.now();
    const meant = kept().filter(({ keepUntilMs = 0 }) => keepUntilMs > askedMs);
    if (meant.length > 0) await extend(meant, askedMs);
    const nowMs = performance.now();
    // The server does not say so, but by now another worker may well have it.
    for (const held of kept()) if (held.expiresMs <= nowMs) held.lose();
    timer = undefined;
    keepAlive.onUntilMs = off;
    if (kept().length > 0) schedule(hasFailed ? leaseMs / 10 : leaseMs / 3);
  };

  const schedule = (ms: number): void => {
    const nowMs = performance.now();
    if (isClosed || nowMs < keepAlive.onUntilMs) return;
    // A timer that is so much overdue has vanished with the call that set it.
    keepAlive.onUntilMs = nowMs + ms + leaseMs / 3;
    timer = setTimeout(() => void tick(), ms);
  };

  const keepAlive = {
    onUntilMs: off,
    start: () => schedule(leaseMs / 3),
    close(): void {
      isClosed = true;
      clearTimeout(timer);
    },
  };
  return keepAlive;
}
