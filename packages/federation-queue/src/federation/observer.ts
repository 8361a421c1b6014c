import { chunked, isUnanswered, type WriteObserver } from "@continuum-cache/core/kit";
import type { CacheChange } from "./cache-change.ts";
import type { ChangePublisher } from "./change-publisher.ts";
import type { Follower } from "./follower.ts";
import type { FederationSettings } from "./settings.ts";
import { perEvent, type ValueSync } from "./value-sync.ts";
import { writtenBy } from "./written.ts";

/**
 * Publishes the writes of this instance's callers.
 *
 * @param values - Absent when the federation shares only deletes.
 */
export function createObserver(
  settings: FederationSettings,
  values: ValueSync | undefined,
  publisher: ChangePublisher,
  follower: Follower,
): WriteObserver {
  /** Patterns are published when the run of SCAN begins: writes during the run are later. */
  const invalidated = async (globs: readonly string[]): Promise<CacheChange> => {
    if (!values) return { type: "fed.invalidate", globs };
    const { clock, tombstones, tiebreaker } = values;
    const at = await clock.now();
    const change: CacheChange = { type: "fed.invalidate", globs, at };
    for (const glob of globs) tombstones.add(settings.fullGlob(glob), { at, tiebreaker });
    // An older change of another instance that is just being applied may write behind the run, and instances that start
    // later must find the tombstones in the database. Applying the invalidation once more takes care of both.
    follower.reapply(change, settings.log.instanceId);
    return change;
  };

  return async (commands, replies, options) => {
    const { deleted, puts, globs } = writtenBy(settings, commands, replies, options);
    const { fallback = true, signal, timeoutMs } = options;
    const asked = {
      fallback,
      ...(signal && { signal }),
      ...(timeoutMs !== undefined && { timeout: `${timeoutMs}ms` as const }),
    };
    if (globs.length > 0) await publisher.publish([await invalidated(globs)], asked);
    if (!values) {
      const keys = [...new Set(deleted)];
      const changes = chunked(keys, perEvent).map((part): CacheChange => ({ type: "fed.delete", keys: part }));
      if (changes.length > 0) await publisher.publish(changes, asked);
      return;
    }
    if (puts.length === 0) return;
    let changes: readonly CacheChange[];
    try {
      changes = await values.put(puts);
    } catch (error) {
      // The time of these writes is unknown: the keys are deleted everywhere.
      publisher.invalidateLater(puts.map(({ key }) => key));
      if (!fallback || !isUnanswered(error)) throw error;
      return;
    }
    await publisher.publish(changes, asked);
  };
}
