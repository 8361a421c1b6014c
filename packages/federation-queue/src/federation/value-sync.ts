import { chunked, toMessageText } from "@continuum-cache/core/kit";
import { type Apply, applyScript } from "./apply-script.ts";
import type { CacheChange } from "./cache-change.ts";
import { createFederationClock, type FederationClock } from "./federation-clock.ts";
import { createPatternTombstones, type PatternTombstones } from "./pattern-tombstones.ts";
import { type Put, putScript, readPutAnswer } from "./put-script.ts";
import type { ClockSettings, FederationSettings } from "./settings.ts";

/** What a federation that shares values needs besides: writes with timestamps. */
export interface ValueSync {
  /** Of this instance. */
  readonly tiebreaker: number;
  readonly clock: FederationClock;
  readonly tombstones: PatternTombstones;
  /**
   * Repeats the writes of this instance with timestamps.
   *
   * @returns the changes to publish.
   *
   * @throws TransportError or CommandError.
   */
  put(puts: readonly Put[]): Promise<readonly CacheChange[]>;
  /** Applies the writes of another instance. @throws TransportError or CommandError. */
  apply(tiebreaker: number, changes: readonly Apply[]): Promise<void>;
}

/** The most that one event publishes. */
export const perEvent = { items: 500 };

export function createValueSync(
  { cache, link, scope, fullGlob }: FederationSettings,
  { tiebreaker, keepMs, clockOf, tombstonesKey }: ClockSettings,
): ValueSync {
  const clock = createFederationClock(link, tombstonesKey, keepMs);
  const tombstones = createPatternTombstones(link, tombstonesKey, keepMs, scope.globs.map(fullGlob));
  const withoutPrefix = (key: string): string => key.slice(cache.keyPrefix.length);
  const keysOf = (changes: readonly { readonly key: string }[]): string[] =>
    changes.flatMap(({ key }) => [key, clockOf(key)]);

  const putPart = async (part: readonly Put[]): Promise<readonly CacheChange[]> => {
    const args = part.flatMap(({ kind, value = "", ttlMs = "" }) => [kind, value, ttlMs]);
    const reply = await link.run(putScript, keysOf(part), [tiebreaker, keepMs, clock.latest, ...args]);
    const { changes: times, nowMs } = readPutAnswer(reply);
    await clock.record(Math.max(...times.map(({ at }) => at)), nowMs);
    const changes: CacheChange[] = [];
    const deleted = { keys: [] as string[], at: [] as number[] };
    for (const [index, { key: fullKey, kind, value = "" }] of part.entries()) {
      const { at = 0, endMs } = times[index] ?? {};
      const key = withoutPrefix(fullKey);
      if (kind === "delete") {
        deleted.keys.push(key);
        deleted.at.push(at);
      } else {
        const text = toMessageText(typeof value === "number" ? String(value) : value);
        changes.push({ type: "fed.set", key, value: text, at, ...(endMs !== undefined && { endMs }) });
      }
    }
    return deleted.keys.length > 0 ? [...changes, { type: "fed.delete", ...deleted }] : changes;
  };

  return {
    tiebreaker,
    clock,
    tombstones,
    async put(puts) {
      const changes: CacheChange[] = [];
      for (const part of chunked(puts, perEvent)) changes.push(...(await putPart(part)));
      return changes;
    },
    async apply(origin, changes) {
      if (changes.length === 0) return;
      const args = changes.flatMap(({ kind, at, value = "", endMs = "" }) => [kind, at, value, endMs]);
      await link.run(applyScript, keysOf(changes), [origin, keepMs, ...args]);
    },
  };
}
