import { escapeGlob, type Reply } from "@continuum-cache/core";
import { fromMessageText } from "@continuum-cache/core/kit";
import { unwrap } from "../shared/replies.ts";
import { type Apply, applyScript } from "./apply-script.ts";
import type { CacheChange, Invalidated, KeysDeleted, ValueSet } from "./cache-change.ts";
import type { FederationClock } from "./federation-clock.ts";
import type { PatternMarks } from "./pattern-marks.ts";
import type { ClockSettings, FederationSettings } from "./settings.ts";
import { tieOf } from "./stamp.ts";

/** Applies to this instance's cache what others have changed. The same change may come any number of times. */
export interface Applier {
  /** One try, at the primary. @throws TransportError or CommandError when it has to be tried again. */
  apply(change: CacheChange, origin: string): Promise<void>;
  /** Deletes everything in scope. @throws as `apply` does. */
  clear(): Promise<void>;
  /** The memory of this process that stands in for the primary forgets what the change is about. */
  forgetHere(change: CacheChange): Promise<void>;
}

const everything: Invalidated = { type: "fed.invalidate" };
const scanCount = 1_000;

export function createApplier(
  { cache, link, scope, values, timeoutMs, fullKey, fullGlob }: FederationSettings,
  clock: Pick<FederationClock, "met">,
  marks: PatternMarks | undefined,
): Applier {
  const atPrimary = { fallback: false, timeout: `${timeoutMs}ms` } as const;
  const globsOf = ({ globs }: Invalidated): readonly string[] =>
    globs ? [...new Set(globs.flatMap(scope.within))] : scope.globs;

  const deletePatterns = async (globs: readonly string[], options: Parameters<typeof cache.deletePattern>[1]) => {
    for (const glob of globs) await cache.deletePattern(glob, options);
  };

  /** Loads under way would store what they have read before. */
  const outdate = (keys: readonly string[]): void => {
    for (const key of keys) cache.outdate(escapeGlob(key));
  };
  const write = async ({ keepMs, clockOf }: ClockSettings, tie: number, changes: readonly Apply[]): Promise<void> => {
    if (changes.length === 0) return;
    const args = changes.flatMap(({ kind, at, value = "", endMs = "" }) => [kind, at, value, endMs]);
    await link.run(
      applyScript,
      changes.flatMap(({ key }) => [key, clockOf(key)]),
      [tie, keepMs, ...args],
    );
  };

  const applyDeleted = async ({ keys, at }: KeysDeleted, tie: number): Promise<void> => {
    const shared = keys.map((key, index) => ({ key, at: at?.[index] ?? 0 })).filter(({ key }) => scope.has(key));
    if (shared.length === 0) return;
    if (!values || !at) {
      await cache.delete(...shared.map(({ key }) => key), atPrimary);
      return;
    }
    outdate(shared.map(({ key }) => key));
    await write(
      values,
      tie,
      shared.map(({ key, at: when }) => ({ key: fullKey(key), kind: "delete", at: when })),
    );
  };

  const applySet = async ({ key, value, endMs, at }: ValueSet, tie: number): Promise<void> => {
    if (!scope.has(key)) return;
    if (!values || !marks) {
      await cache.delete(key, atPrimary);
      return;
    }
    if (marks.isOver(fullKey(key), { at, tie })) return;
    outdate([key]);
    const stored = fromMessageText(value);
    const what: Pick<Apply, "kind" | "value" | "endMs"> = isReadable(stored)
      ? { kind: "set", value: stored, endMs }
      : { kind: "delete" };
    await write(values, tie, [{ key: fullKey(key), at, ...what }]);
  };
  const isReadable = (stored: string | Uint8Array): boolean => {
    try {
      return cache.codec.decode(stored) !== undefined;
    } catch {
      // Written by a codec that this instance does not have: for it there is no value.
      return false;
    }
  };

  const applyInvalidated = async (change: Invalidated, tie: number): Promise<void> => {
    const globs = globsOf(change);
    const { at } = change;
    if (!values || !marks || at === undefined) return deletePatterns(globs, atPrimary);
    for (const glob of globs) {
      const full = fullGlob(glob);
      marks.add(full, { at, tie });
      await marks.store(full, { at, tie });
      cache.outdate(glob);
      let cursor = "0";
      do {
        const [page] = await link.send([["SCAN", cursor, "MATCH", full, "COUNT", scanCount]]);
        const [next, found] = unwrap(page) as readonly [Reply, readonly string[]];
        await write(
          values,
          tie,
          found.map((key) => ({ key, kind: "drop", at })),
        );
        cursor = String(next);
      } while (cursor !== "0");
    }
  };

  return {
    async apply(change, origin) {
      const tie = tieOf(origin);
      if (values && change.at !== undefined) await clock.met(Math.max(...[change.at].flat()));
      if (change.type === "fed.delete") await applyDeleted(change, tie);
      else if (change.type === "fed.set") await applySet(change, tie);
      else await applyInvalidated(change, tie);
    },
    clear: () => applyInvalidated(everything, 0),
    async forgetHere(change) {
      if (change.type === "fed.invalidate") return deletePatterns(globsOf(change), {});
      const keys = (change.type === "fed.set" ? [change.key] : change.keys).filter(scope.has);
      if (keys.length > 0) await cache.delete(...keys);
    },
  };
}
