import { inParts, isUnanswered, toMessageText, type WriteObserver } from "@continuum-cache/core/kit";
import type { CacheChange } from "./cache-change.ts";
import type { ChangePublisher } from "./change-publisher.ts";
import type { FederationClock } from "./federation-clock.ts";
import type { Follower } from "./follower.ts";
import type { PatternTombstones } from "./pattern-tombstones.ts";
import { type Put, putScript, readPutAnswer } from "./put-script.ts";
import type { ClockSettings, FederationSettings } from "./settings.ts";
import { writtenBy } from "./written.ts";

/** The most that one event publishes. */
const perEvent = { items: 500 };

/** Publishes the writes of this instance's callers. */
export function createObserver(
  settings: FederationSettings,
  clock: FederationClock,
  tombstones: PatternTombstones | undefined,
  publisher: ChangePublisher,
  follower: Follower,
): WriteObserver {
  const { values, log } = settings;

  /** Patterns are published when the run of SCAN begins: writes during the run are later. */
  const invalidated = async (globs: readonly string[]): Promise<CacheChange> => {
    if (!values || !tombstones) return { type: "fed.invalidate", globs };
    const at = await clock.now();
    const change: CacheChange = { type: "fed.invalidate", globs, at };
    for (const glob of globs) tombstones.add(settings.fullGlob(glob), { at, tiebreaker: values.tiebreaker });
    // An older change of another instance that is just being applied may write behind the run, and instances that start
    // later must find the tombstones in the database. Applying the invalidation once more takes care of both.
    follower.reapply(change, log.instanceId);
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
      const changes = inParts(keys, perEvent).map((part): CacheChange => ({ type: "fed.delete", keys: part }));
      if (changes.length > 0) await publisher.publish(changes, asked);
      return;
    }
    if (puts.length === 0) return;
    let changes: readonly CacheChange[];
    try {
      changes = await putAll(settings, values, clock, puts);
    } catch (error) {
      // The time of these writes is unknown: the keys are deleted everywhere.
      publisher.invalidateLater(puts.map(({ key }) => key));
      if (!fallback || !isUnanswered(error)) throw error;
      return;
    }
    await publisher.publish(changes, asked);
  };
}

/** Writes with timestamps, and returns the changes to publish. @throws TransportError or CommandError. */
export async function putAll(
  { cache, link }: Pick<FederationSettings, "cache" | "link">,
  { tiebreaker, keepMs, clockOf }: ClockSettings,
  clock: FederationClock,
  puts: readonly Put[],
): Promise<readonly CacheChange[]> {
  const withoutPrefix = (key: string): string => key.slice(cache.keyPrefix.length);
  const changes: CacheChange[] = [];
  for (const part of inParts(puts, perEvent)) {
    const args = part.flatMap(({ kind, value = "", ttlMs = "" }) => [kind, value, ttlMs]);
    const keys = part.flatMap(({ key }) => [key, clockOf(key)]);
    const answer = readPutAnswer(await link.run(putScript, keys, [tiebreaker, keepMs, clock.latest, ...args]));
    await clock.record(Math.max(...answer.changes.map(({ at }) => at)), answer.nowMs);
    const deleted: { key: string; at: number }[] = [];
    for (const [index, { key, kind, value = "" }] of part.entries()) {
      const { at = 0, endMs } = answer.changes[index] ?? {};
      if (kind === "delete") deleted.push({ key: withoutPrefix(key), at });
      else {
        const text = toMessageText(typeof value === "number" ? String(value) : value);
        changes.push({
          type: "fed.set",
          key: withoutPrefix(key),
          value: text,
          at,
          ...(endMs !== undefined && { endMs }),
        });
      }
    }
    if (deleted.length > 0) {
      changes.push({ type: "fed.delete", keys: deleted.map(({ key }) => key), at: deleted.map(({ at }) => at) });
    }
  }
  return changes;
}
