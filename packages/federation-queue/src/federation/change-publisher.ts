import { type Events, isTransportError } from "@continuum-cache/core";
import { createBackgroundTask, createBackoff, isUnanswered } from "@continuum-cache/core/kit";
import type { AppendOptions } from "../log/types.ts";
import { createWake } from "../shared/timing.ts";
import type { CacheChange } from "./cache-change.ts";
import type { FederationSettings } from "./settings.ts";
import type { FederationEvents } from "./types.ts";

/**
 * Publishes the changes of this instance: each as it is, or, when that is impossible, an invalidation that includes it.
 */
export interface ChangePublisher {
  /** How many invalidations wait in this process to be published. */
  readonly pendingInvalidations: number;
  /**
   * Resolves when the log has the changes or keeps them in its outbox, or when one invalidation of everything waits
   * instead.
   *
   * @throws what the log's `append` throws otherwise. The other instances do not get the changes then.
   */
  publish(changes: readonly CacheChange[], options: AppendOptions): Promise<void>;
  /** The changes of these keys cannot be published as they are: deletes the keys later, everywhere. */
  invalidateLater(keys: readonly string[]): void;
  /** Tries one last time. @returns how many invalidations are lost with this process. */
  close(): Promise<number>;
}

/** Makes the changes that publish pending invalidations. */
export interface InvalidationSource {
  /** The change that invalidates everything in scope; also deletes it here if it has to be. */
  everything(isHereToo: boolean): Promise<CacheChange>;
  /** Deletes the keys here for good, and returns the changes that delete them elsewhere. */
  keys(keys: readonly string[]): Promise<readonly CacheChange[]>;
}

/** What is to be invalidated besides single keys: everything at the other instances, or everything here too. */
type Scope = "no more" | "everything there" | "everything here too";

const mostPendingKeys = 10_000;
const mostPerTrip = 500;
const firstPauseMs = 100;

export function createChangePublisher(
  { log }: FederationSettings,
  source: InvalidationSource,
  emit: Events<FederationEvents>["emit"],
): ChangePublisher {
  const pendingKeys = new Set<string>();
  let pending: Scope = "no more";
  let isClosed = false;
  const wake = createWake();
  const count = (): number => pendingKeys.size + (pending === "no more" ? 0 : 1);

  const append = async (changes: readonly CacheChange[], options: AppendOptions): Promise<void> => {
    if (changes.length === 0) return;
    try {
      await log.appendMany(changes, options);
    } catch (error) {
      const [only] = changes;
      const isSmallest = changes.length === 1 && only?.type === "fed.invalidate" && !only.globs;
      if (!isTooLarge(error) || isSmallest) throw error;
      // One by one; a single change is split, or replaced by a coarser one.
      const parts = changes.length > 1 ? changes.map((change) => [change]) : changes.map(smallerChanges);
      for (const part of parts) await append(part, options);
    }
  };

  const publishPending = async (): Promise<void> => {
    if (pending !== "no more") {
      const before = pending;
      await append([await source.everything(before === "everything here too")], {});
      // It may have become more meanwhile.
      if (pending === before) pending = "no more";
    }
    const keys = [...pendingKeys].slice(0, mostPerTrip);
    if (keys.length === 0) return;
    for (const key of keys) pendingKeys.delete(key);
    try {
      await append(await source.keys(keys), {});
    } catch (error) {
      for (const key of keys) pendingKeys.add(key);
      throw error;
    }
  };

  const running = createBackgroundTask(async (isCurrent) => {
    const backoff = createBackoff({ firstMs: firstPauseMs, longestMs: 5_000 });
    let isReported = false;
    // A try that has just failed is not repeated at once.
    await wake.wait(firstPauseMs);
    while (count() > 0 && isCurrent()) {
      try {
        await publishPending();
        backoff.reset();
      } catch (error) {
        if (!isReported && !isUnanswered(error)) emit("error", { operation: "publish", error: error as Error });
        isReported = true;
        if (isClosed) break;
        await wake.wait(backoff.next());
      }
    }
  });
  const start = (): void => {
    if (!isClosed) running.start();
  };

  return {
    get pendingInvalidations() {
      return count();
    },
    async publish(changes, options) {
      try {
        await append(changes, options);
      } catch (error) {
        // The log's outbox had no room.
        if (options.fallback === false || !isUnanswered(error)) throw error;
        if (pending === "no more") {
          pending = "everything there";
          emit("deferred", { keys: "everything" });
        }
        start();
      }
    },
    invalidateLater(keys) {
      for (const key of keys) pendingKeys.add(key);
      const isTooMany = pendingKeys.size > mostPendingKeys;
      if (isTooMany) {
        pendingKeys.clear();
        pending = "everything here too";
      }
      emit("deferred", { keys: isTooMany ? "everything" : keys.length });
      start();
    },
    async close() {
      isClosed = true;
      wake.wake();
      await running.idle();
      return count();
    },
  };
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof RangeError || (isTransportError(error) && error.kind === "too-large");

/** The same in smaller changes, or a change that includes it in fewer words. */
function smallerChanges(change: CacheChange): readonly CacheChange[] {
  if (change.type === "fed.set") return [{ type: "fed.delete", keys: [change.key], at: [change.at] }];
  if (change.type === "fed.delete" && change.keys.length > 1) {
    const half = Math.ceil(change.keys.length / 2);
    return [[0, half] as const, [half, change.keys.length] as const].map((range) => ({
      type: "fed.delete",
      keys: change.keys.slice(...range),
      ...(change.at && { at: change.at.slice(...range) }),
    }));
  }
  const at = change.type === "fed.delete" ? change.at?.[0] : change.at;
  return [{ type: "fed.invalidate", ...(at !== undefined && { at }) }];
}
