import type { Held } from "./leases.ts";

/** Extends leases of this process that are worked on, until they are settled or have taken too long. */
export interface KeepAlive {
  /** @param forMs - For so long at most. */
  keep(held: Held, forMs: number): void;
  /** It is extended no more: it ends by itself. */
  drop(held: Held): void;
  /** It is over: there is nothing to see to. */
  forget(held: Held): void;
  close(): void;
}

/** @param extendAll - Tells which of them are held no more. */
export function createKeepAlive(
  leaseMs: number,
  extendAll: (held: readonly Held[]) => Promise<readonly Held[]>,
  onError: (error: unknown) => void,
): KeepAlive {
  const kept = new Set<Held>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let dueMs = 0;
  let isClosed = false;
  let hasFailed = false;

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
    for (const held of kept) if (held.state === "over") kept.delete(held);
    const meant = [...kept].filter(({ keepUntilMs }) => keepUntilMs > askedMs);
    if (meant.length > 0) await extend(meant, askedMs);
    const nowMs = performance.now();
    // Nobody says so, but by now somebody else may well have it.
    for (const held of kept) if (held.expiresMs <= nowMs) held.lose();
    timer = undefined;
    if (kept.size > 0) schedule(hasFailed ? leaseMs / 10 : leaseMs / 3);
  };

  const schedule = (ms: number): void => {
    const nowMs = performance.now();
    // One that is long overdue has vanished with the call that set it.
    if (isClosed || (timer !== undefined && nowMs < dueMs + leaseMs / 3)) return;
    dueMs = nowMs + ms;
    timer = setTimeout(() => void tick(), ms);
  };

  return {
    keep(held, forMs) {
      held.keepUntilMs = performance.now() + forMs;
      kept.add(held);
      schedule(leaseMs / 3);
    },
    drop(held) {
      held.keepUntilMs = 0;
    },
    forget(held) {
      kept.delete(held);
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      kept.clear();
    },
  };
}
