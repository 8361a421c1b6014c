import type { Command, Reply } from "@continuum-cache/core";
import { compileGlob, unwrap } from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { aheadField } from "./federation-clock.ts";
import { type HybridTimestamp, isLater, readTimestamp, ticksPerMs } from "./hybrid-timestamp.ts";
import { tombstoneScript } from "./tombstone-script.ts";

/**
 * The patterns that were deleted within the retention, and when. A `set` from before such a delete that arrives late
 * must not bring its value back, although no clock exists for its key. The database keeps them for instances that start
 * later.
 */
export interface PatternTombstones {
  /**
   * Reads the stored tombstones, and deletes those that are too old to matter.
   *
   * @throws TransportError or CommandError.
   */
  load(): Promise<void>;
  /** Takes effect at once. */
  add(glob: string, timestamp: HybridTimestamp): void;
  /** Writes a tombstone to the database. @throws TransportError or CommandError. */
  store(glob: string, timestamp: HybridTimestamp): Promise<void>;
  /** Whether a key that was set at this time was deleted with a pattern since. */
  covers(fullKey: string, timestamp: HybridTimestamp): boolean;
}

interface Tombstone extends HybridTimestamp {
  readonly matches: (key: string) => boolean;
}

/** More than these become one that stands for all: dropping a late value is better than bringing an old one back. */
const mostTombstones = 1_000;

/** @param everything - Globs of all shared keys; like all globs here they begin with the cache's prefix. */
export function createPatternTombstones(
  link: PrimaryClient,
  key: string,
  keepMs: number,
  everything: readonly string[],
): PatternTombstones {
  const tombstones = new Map<string, Tombstone>();

  const add = (glob: string, { at, tiebreaker }: HybridTimestamp): void => {
    const known = tombstones.get(glob);
    if (known && !isLater({ at, tiebreaker }, known)) return;
    tombstones.set(glob, { at, tiebreaker, matches: known?.matches ?? compileGlob(glob) });
    if (tombstones.size <= mostTombstones + everything.length) return;
    const latest = [...tombstones.values()].reduce((one, other) => (isLater(other, one) ? other : one));
    tombstones.clear();
    for (const all of everything) tombstones.set(all, { ...latest, matches: compileGlob(all) });
  };

  return {
    add,
    async load() {
      const reply = unwrap((await link.send([["HGETALL", key]]))[0]) as readonly Reply[] | null;
      const words = (reply ?? []).map(String);
      const oldest = (Date.now() - keepMs) * ticksPerMs;
      const stale: string[] = [];
      for (let at = 0; at + 1 < words.length; at += 2) {
        const [glob = "", timestamp] = [words[at], readTimestamp(words[at + 1])];
        if (glob === aheadField) continue;
        if (timestamp.at < oldest) stale.push(glob);
        else add(glob, timestamp);
      }
      if (stale.length > 0) await link.send([["HDEL", key, ...stale] as Command]);
    },
    async store(glob, { at, tiebreaker }) {
      await link.run(tombstoneScript, [key], [glob, at, tiebreaker, keepMs]);
    },
    covers: (fullKey, timestamp) =>
      [...tombstones.values()].some((one) => isLater(one, timestamp) && one.matches(fullKey)),
  };
}
