import { createBackgroundTask, createCancellableSleep } from "@continuum-cache/core/kit";
import type { Link, LinkOptions } from "../shared/link.ts";

/**
 * Tells whether pushes still go to the server that they went to: a replica that takes its primary's place, and a primary that
 * begins anew, have another history by name. While pushes go on it looks by itself, and once after them, since a connection
 * may be made anew without a word, and over HTTP there is none.
 */
export interface ServerWatch {
  /** A push was accepted. Until `touchedUntilMs` it need not be told of more. */
  touch(): void;
  /** By `performance.now()`. */
  readonly touchedUntilMs: number;
  /** "unknown" where the server does not say who it is, or has not been asked before. @throws TransportError */
  look(options?: LinkOptions): Promise<"same" | "changed" | "unknown">;
  /** When it was last seen to be the server that it is, by `performance.now()`; -Infinity: never. */
  readonly sureMs: number;
  close(): Promise<void>;
}

/** INFO is one of the commands that Upstash does not bill. */
const everyMs = 10_000;
const untouched = Number.NEGATIVE_INFINITY;

/** @param onChanged - Called when it is another server, and nobody had asked: with when it was last seen to be the one before. */
export function createServerWatch(link: Link, onChanged: (sureMs: number) => void): ServerWatch {
  const pauses = createCancellableSleep();
  let history: string | undefined;
  let sureMs = Number.NEGATIVE_INFINITY;

  const look: ServerWatch["look"] = async (options = {}) => {
    const askedMs = performance.now();
    const [info] = await link.send([["INFO", "replication"]], options);
    const found = typeof info === "string" ? /^master_replid:(\w+)/m.exec(info)?.[1] : undefined;
    if (found === undefined) return "unknown";
    const known = history;
    history = found;
    sureMs = askedMs;
    if (known === undefined) return "unknown";
    return known === found ? "same" : "changed";
  };

  const watching = createBackgroundTask(async (isCurrent) => {
    let isLast = false;
    while (!isLast && !pauses.isEnded && isCurrent()) {
      isLast = watch.touchedUntilMs === untouched;
      watch.touchedUntilMs = untouched;
      const beforeMs = sureMs;
      try {
        if ((await look()) === "changed") onChanged(beforeMs);
      } catch {
        // Whoever could not be asked is noticed by its silence.
      }
      if (!isLast) await pauses.wait(everyMs, undefined);
    }
  });

  const watch = {
    touchedUntilMs: untouched,
    touch(): void {
      // It goes on for as long after each; where the call that had begun it has vanished, a later push begins it anew.
      watch.touchedUntilMs = performance.now() + everyMs;
      if (!pauses.isEnded && !watching.isRunning) watching.start();
    },
    look,
    get sureMs() {
      return sureMs;
    },
    async close(): Promise<void> {
      pauses.end();
      await watching.idle();
    },
  };
  return watch;
}
