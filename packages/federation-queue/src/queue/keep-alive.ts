import type { LeaseRecord } from "./leases.ts";

/** Extends the leases that handlers work on, until they are settled or `extendUntilMs` has passed. */
export interface KeepAlive {
  /** Called before a handler starts; not needed again until `onUntilMs`. */
  start(): void;
  /** By `performance.now()`. */
  readonly onUntilMs: number;
  close(): void;
}

const off = Number.NEGATIVE_INFINITY;

/**
 * @param all - The leases of this process.
 * @param extendAll - Extends leases, and resolves to those that are lost.
 */
export function createKeepAlive(
  leaseMs: number,
  all: () => readonly LeaseRecord[],
  extendAll: (records: readonly LeaseRecord[]) => Promise<readonly LeaseRecord[]>,
  onError: (error: unknown) => void,
): KeepAlive {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  let hasFailed = false;

  /** Leases that handlers work on, or have worked on and could not settle. */
  const worked = (): readonly LeaseRecord[] =>
    all().filter(({ extendUntilMs, state }) => extendUntilMs !== undefined && state !== "over");

  const extend = async (records: readonly LeaseRecord[], askedMs: number): Promise<void> => {
    try {
      const lost = new Set(await extendAll(records));
      for (const record of records) {
        if (!lost.has(record)) record.expiresMs = Math.max(record.expiresMs, askedMs + leaseMs);
        else if (record.state === "held") record.lose();
      }
      hasFailed = false;
    } catch (error) {
      // One error event per outage.
      if (!hasFailed) onError(error);
      hasFailed = true;
    }
  };

  const tick = async (): Promise<void> => {
    const askedMs = performance.now();
    const records = worked().filter(({ extendUntilMs = 0 }) => extendUntilMs > askedMs);
    if (records.length > 0) await extend(records, askedMs);
    const nowMs = performance.now();
    // Redis has not said so, but another worker may have these messages by now.
    for (const record of worked()) if (record.expiresMs <= nowMs) record.lose();
    timer = undefined;
    keepAlive.onUntilMs = off;
    if (worked().length > 0) schedule(hasFailed ? leaseMs / 10 : leaseMs / 3);
  };

  const schedule = (ms: number): void => {
    const nowMs = performance.now();
    if (isClosed || nowMs < keepAlive.onUntilMs) return;
    // A timer that is overdue by a third of a lease has vanished with the call that set it.
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
