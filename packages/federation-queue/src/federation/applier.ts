import { escapeGlob, type Reply } from "@continuum-cache/core";
import { fromMessageText, unwrap } from "@continuum-cache/core/kit";
import type { CacheChange, Invalidated, KeysDeleted, ValueSet } from "./cache-change.ts";
import { tiebreakerOf } from "./hybrid-timestamp.ts";
import type { FederationSettings } from "./settings.ts";
import type { Apply, ValueSync } from "./value-sync.ts";

/** Applies the changes of other instances to this instance's cache. The same change may arrive any number of times. */
export interface Applier {
  /** One try, at the primary. @throws TransportError or CommandError when it has to be retried. */
  apply(change: CacheChange, origin: string): Promise<void>;
  /** Deletes everything in scope. @throws the same errors as `apply`. */
  clear(): Promise<void>;
  /** Deletes the keys of a change from the local cache that answers in the primary's place. */
  deleteLocally(change: CacheChange): Promise<void>;
}

const everything: Invalidated = { type: "fed.invalidate" };
const scanCount = 1_000;

/** @param values - Absent when the federation shares only deletes. */
export function createApplier(
  { cache, link, scope, timeoutMs, fullKey, fullGlob }: FederationSettings,
  values: ValueSync | undefined,
): Applier {
  const atPrimary = { fallback: false, timeout: `${timeoutMs}ms` } as const;
  const globsOf = ({ globs }: Invalidated): readonly string[] =>
    globs ? [...new Set(globs.flatMap(scope.within))] : scope.globs;

  const deletePatterns = async (globs: readonly string[], options: Parameters<typeof cache.deletePattern>[1]) => {
    for (const glob of globs) await cache.deletePattern(glob, options);
  };
  /** In-flight loads must not store what they have read before the change. */
  const outdate = (key: string): void => {
    cache.outdate(escapeGlob(key));
  };
  const isReadable = (stored: string | Uint8Array): boolean => {
    try {
      return cache.codec.decode(stored) !== undefined;
    } catch {
      // This instance does not have the codec that wrote it: for it there is no value.
      return false;
    }
  };

  const applyDeleted = async ({ keys, at }: KeysDeleted, tiebreaker: number): Promise<void> => {
    const shared = [...keys.entries()].filter(([, key]) => scope.has(key));
    if (shared.length === 0) return;
    if (!values || !at) {
      await cache.delete(...shared.map(([, key]) => key), atPrimary);
      return;
    }
    for (const [, key] of shared) outdate(key);
    const changes = shared.map(([nth, key]): Apply => ({ key: fullKey(key), kind: "delete", at: at[nth] ?? 0 }));
    await values.apply(tiebreaker, changes);
  };

  const applySet = async ({ key, value, endMs, at }: ValueSet, tiebreaker: number): Promise<void> => {
    if (!scope.has(key)) return;
    if (!values) {
      await cache.delete(key, atPrimary);
      return;
    }
    if (values.tombstones.covers(fullKey(key), { at, tiebreaker })) return;
    outdate(key);
    const stored = fromMessageText(value);
    const change: Omit<Apply, "key" | "at"> = isReadable(stored)
      ? { kind: "set", value: stored, endMs }
      : { kind: "delete" };
    await values.apply(tiebreaker, [{ key: fullKey(key), at, ...change }]);
  };

  const applyInvalidated = async (change: Invalidated, tiebreaker: number): Promise<void> => {
    const globs = globsOf(change);
    const { at } = change;
    if (!values || at === undefined) return deletePatterns(globs, atPrimary);
    for (const glob of globs) {
      const full = fullGlob(glob);
      values.tombstones.add(full, { at, tiebreaker });
      await values.tombstones.store(full, { at, tiebreaker });
      cache.outdate(glob);
      let cursor = "0";
      do {
        const [page] = await link.send([["SCAN", cursor, "MATCH", full, "COUNT", scanCount]]);
        const [next, found] = unwrap(page) as readonly [Reply, readonly string[]];
        const drops = found.map((key): Apply => ({ key, kind: "drop", at }));
        await values.apply(tiebreaker, drops);
        cursor = String(next);
      } while (cursor !== "0");
    }
  };

  return {
    async apply(change, origin) {
      const tiebreaker = tiebreakerOf(origin);
      if (values && change.at !== undefined) await values.clock.record(Math.max(...[change.at].flat()));
      if (change.type === "fed.delete") await applyDeleted(change, tiebreaker);
      else if (change.type === "fed.set") await applySet(change, tiebreaker);
      else await applyInvalidated(change, tiebreaker);
    },
    clear: () => applyInvalidated(everything, 0),
    async deleteLocally(change) {
      if (change.type === "fed.invalidate") return deletePatterns(globsOf(change), {});
      const keys = (change.type === "fed.set" ? [change.key] : change.keys).filter(scope.has);
      if (keys.length > 0) await cache.delete(...keys);
    },
  };
}
