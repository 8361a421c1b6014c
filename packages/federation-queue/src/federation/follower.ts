import { type Events, isCommandError, isTransportError } from "@continuum-cache/core";
import { type CancellableSleep, createBackoff, createCancellableSleep, toError } from "@continuum-cache/core/kit";
import type { LogEntry, LogGap } from "../log/types.ts";
import type { Applier } from "./applier.ts";
import { type CacheChange, readCacheChange } from "./cache-change.ts";
import type { FederationSettings } from "./settings.ts";
import type { PatternTombstones } from "./tombstones.ts";
import type { FederationEvents } from "./types.ts";

/** Follows the log and applies the changes of other instances, until it is closed. */
export interface Follower {
  /** Applies a change again, as if it had just arrived. */
  reapply(change: CacheChange, origin: string): void;
  close(): Promise<void>;
}

/** So many changes are applied at the same time: their effect does not depend on their order. */
const mostAtOnce = 100;
const backoffLimits = { firstMs: 100, longestMs: 5_000 };

export function startFollower(
  { cache, log, from }: FederationSettings,
  applier: Applier,
  tombstones: PatternTombstones | undefined,
  emit: Events<FederationEvents>["emit"],
): Follower {
  const sleep = createCancellableSleep();
  const ending = new AbortController();
  let applying = 0;
  /** A change was not applied: no change behind it is committed. */
  let isStopped = false;
  /** Changes are committed in the order of the log. It never rejects. */
  let tail: Promise<void> = Promise.resolve();

  const failed = (operation: string, error: unknown): void => emit("error", { operation, error: toError(error) });
  const retry = createRetry(sleep, failed);

  const apply = async (change: CacheChange, origin: string): Promise<RetryOutcome> => {
    applying++;
    try {
      return await retry(
        "apply",
        () => applier.apply(change, origin),
        // Until then a local cache that answers in the primary's place must not serve the old value.
        async () => {
          if (cache.currentBackend === "local") await applier.deleteLocally(change);
        },
      );
    } finally {
      applying--;
    }
  };

  const commitInOrder = async (entry: LogEntry, work: Promise<RetryOutcome>, before: Promise<void>): Promise<void> => {
    const outcome = await work;
    await before;
    // The log delivers it again to the next follower of this instance.
    if (outcome === "closed") isStopped = true;
    if (isStopped) return;
    try {
      await entry.commit();
      emit("applied", { origin: entry.origin, seq: entry.seq });
    } catch (error) {
      failed("commit", error);
    }
  };
  const handle = async (entry: LogEntry): Promise<void> => {
    const change = readCacheChange(entry.event);
    const isAlone = change?.type === "fed.invalidate";
    // An invalidation must not run before the changes that are older than it.
    if (isAlone || applying >= mostAtOnce) await tail;
    const work = change ? apply(change, entry.origin) : Promise.resolve<RetryOutcome>("settled");
    tail = commitInOrder(entry, work, tail);
    if (isAlone) await tail;
  };

  const resync = async (gap: LogGap): Promise<void> => {
    await tail;
    const outcome = await retry("resync", applier.clear);
    if (outcome === "closed") throw new Error("The federation was closed before the gap could be repaired");
    emit("gap", gap);
  };

  const run = async (): Promise<void> => {
    const backoff = createBackoff(backoffLimits);
    if (tombstones && (await retry("load", tombstones.load)) === "closed") return;
    while (!ending.signal.aborted) {
      try {
        for await (const entry of log.follow({ signal: ending.signal, from, resync })) {
          backoff.reset();
          await handle(entry);
        }
        return;
      } catch (error) {
        if (ending.signal.aborted) return;
        failed("follow", error);
        if (isTransportError(error) && error.kind === "closed") return;
        await sleep.wait(backoff.next(), undefined);
      }
    }
  };
  const running = run();

  return {
    reapply(change, origin) {
      const before = tail;
      tail = apply(change, origin).then(() => before);
    },
    async close() {
      ending.abort();
      sleep.end();
      await running;
      await tail;
    },
  };
}

/**
 * "settled": the work is done, or has failed in a way that no retry changes. "closed": the retries ended before that.
 */
type RetryOutcome = "settled" | "closed";

/** Makes a function that retries work until it is settled, and reports its first error. */
function createRetry(sleep: CancellableSleep, failed: (operation: string, error: unknown) => void) {
  /** @param onFirstFailure - Runs once, before the first retry. */
  return async (
    operation: string,
    work: () => Promise<void>,
    onFirstFailure?: () => Promise<void>,
  ): Promise<RetryOutcome> => {
    const backoff = createBackoff(backoffLimits);
    let isReported = false;
    while (!sleep.isEnded) {
      try {
        await work();
        return "settled";
      } catch (error) {
        if (!isReported && !sleep.isEnded) failed(operation, error);
        if (!isTransportError(error) && !isCommandError(error)) return "settled";
        // A closed transport stays closed.
        if (isTransportError(error) && error.kind === "closed") return "closed";
        if (!isReported) await onFirstFailure?.().catch((failure: unknown) => failed(operation, failure));
        isReported = true;
        await sleep.wait(backoff.next(), undefined);
      }
    }
    return "closed";
  };
}
