import type { Command, Reply } from "@continuum-cache/core";
import { compileGlob } from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { unwrap } from "../shared/replies.ts";
import { aheadField } from "./federation-clock.ts";
import { markScript } from "./mark-script.ts";
import { isLater, readStamped, type Stamped, stampsPerMs } from "./stamp.ts";

/**
 * The patterns that were deleted within the retention, and when: what was set before that, and comes late, must not come
 * back, though nothing tells of its key. Kept in the database too, for those who come later.
 */
export interface PatternMarks {
  /** Reads what is kept, and drops what is too old to matter. @throws TransportError or CommandError. */
  load(): Promise<void>;
  /** Counts at once. */
  add(glob: string, stamped: Stamped): void;
  /** Writes it to the database. @throws TransportError or CommandError. */
  store(glob: string, stamped: Stamped): Promise<void>;
  /** Whether a key that was set then was deleted with a pattern since. */
  isOver(fullKey: string, stamped: Stamped): boolean;
}

interface Mark extends Stamped {
  readonly matches: (key: string) => boolean;
}

/** More than these become one that stands for all: rather is a late value left out than an old one brought back. */
const mostMarks = 1_000;

/** @param everything - Globs of all that is shared, as all others here with the cache's prefix. */
export function createPatternMarks(
  link: PrimaryClient,
  key: string,
  keepMs: number,
  everything: readonly string[],
): PatternMarks {
  const marks = new Map<string, Mark>();

  const add = (glob: string, { at, tie }: Stamped): void => {
    const known = marks.get(glob);
    if (known && !isLater({ at, tie }, known)) return;
    marks.set(glob, { at, tie, matches: known?.matches ?? compileGlob(glob) });
    if (marks.size <= mostMarks + everything.length) return;
    const latest = [...marks.values()].reduce((one, other) => (isLater(other, one) ? other : one));
    marks.clear();
    for (const all of everything) marks.set(all, { at: latest.at, tie: latest.tie, matches: compileGlob(all) });
  };

  return {
    add,
    async load() {
      const reply = unwrap((await link.send([["HGETALL", key]]))[0]) as readonly Reply[] | null;
      const words = (reply ?? []).map(String);
      const oldest = (Date.now() - keepMs) * stampsPerMs;
      const stale: string[] = [];
      for (let at = 0; at + 1 < words.length; at += 2) {
        const [glob = "", stamped] = [words[at], readStamped(words[at + 1])];
        if (glob === aheadField) continue;
        if (stamped.at < oldest) stale.push(glob);
        else add(glob, stamped);
      }
      if (stale.length > 0) await link.send([["HDEL", key, ...stale] as Command]);
    },
    async store(glob, { at, tie }) {
      await link.run(markScript, [key], [glob, at, tie, keepMs]);
    },
    isOver: (fullKey, stamped) => [...marks.values()].some((mark) => isLater(mark, stamped) && mark.matches(fullKey)),
  };
}
