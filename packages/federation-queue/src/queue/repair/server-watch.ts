import { createBackgroundTask, createCancellableSleep } from "@continuum-cache/core/kit";
import type { PrimaryCallOptions, PrimaryClient } from "../../shared/primary-client.ts";

/**
 * Detects that another server answers: a promoted replica, or a primary that restarted, has another replication id. It
 * asks regularly while there are pushes and once after the last one, since a client may reconnect without telling, and
 * HTTP has no connection at all.
 */
export interface ServerWatch {
  /** A push was accepted. Until `touchedUntilMs` further calls are not needed. */
  touch(): void;
  /** By `performance.now()`. */
  readonly touchedUntilMs: number;
  /** "unknown" if the server does not tell its id, or is asked for the first time. @throws TransportError */
  look(options?: PrimaryCallOptions): Promise<"same" | "changed" | "unknown">;
  /** When the present server was last confirmed, by `performance.now()`; -Infinity: never. */
  readonly confirmedMs: number;
  close(): Promise<void>;
}

/** Upstash does not bill INFO. */
const everyMs = 10_000;
const untouched = Number.NEGATIVE_INFINITY;

/**
 * @param onChanged - Called when a regular check found another server: with when the previous one was last confirmed.
 */
export function createServerWatch(client: PrimaryClient, onChanged: (confirmedMs: number) => void): ServerWatch {
  const pauses = createCancellableSleep();
  let replicationId: string | undefined;
  let confirmedMs = Number.NEGATIVE_INFINITY;

  const look: ServerWatch["look"] = async (options = {}) => {
    const askedMs = performance.now();
    const [info] = await client.send([["INFO", "replication"]], options);
    const found = typeof info === "string" ? /^master_replid:(\w+)/m.exec(info)?.[1] : undefined;
    if (found === undefined) return "unknown";
    const known = replicationId;
    replicationId = found;
    confirmedMs = askedMs;
    if (known === undefined) return "unknown";
    return known === found ? "same" : "changed";
  };

  const watching = createBackgroundTask(async (isCurrent) => {
    let isLast = false;
    while (!isLast && !pauses.isEnded && isCurrent()) {
      isLast = watch.touchedUntilMs === untouched;
      watch.touchedUntilMs = untouched;
      const beforeMs = confirmedMs;
      try {
        if ((await look()) === "changed") onChanged(beforeMs);
      } catch {
        // The failed request has already called the repair hook `interrupted`.
      }
      if (!isLast) await pauses.wait(everyMs, undefined);
    }
  });

  const watch = {
    touchedUntilMs: untouched,
    touch(): void {
      // Each touch prolongs the watch. On the edge, where the call that started it may vanish, a later push restarts
      // it.
      watch.touchedUntilMs = performance.now() + everyMs;
      if (!pauses.isEnded && !watching.isRunning) watching.start();
    },
    look,
    get confirmedMs() {
      return confirmedMs;
    },
    async close(): Promise<void> {
      pauses.end();
      await watching.idle();
    },
  };
  return watch;
}
