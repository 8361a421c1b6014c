import type { Command } from "@continuum-cache/core";
import type { Link } from "../shared/link.ts";
import type { Held } from "./leases.ts";
import type { Source } from "./queue-keys.ts";

/**
 * Entries that are done. They stay a while, so that a push can be seen not to have been lost, and are deleted many at a time.
 * Whoever tends the queue deletes what is left of others.
 */
export interface DoneEntries {
  add(done: readonly Held[]): void;
  /** Deletes all of them. Never rejects. */
  flush(): Promise<void>;
}

const batch = 100;
/** Nobody remembers more than so many pushes. */
const mostKept = 10_000;

export function createDoneEntries(link: Link, keptMs: number): DoneEntries {
  const done = new Map<Source, { readonly entryId: string; readonly atMs: number }[]>();

  const remove = async (source: Source, entryIds: readonly string[]): Promise<void> => {
    const deletes: Command[] = [];
    for (let at = 0; at < entryIds.length; at += batch) {
      deletes.push(["XDEL", source.key, ...entryIds.slice(at, at + batch)]);
    }
    if (deletes.length === 0) return;
    try {
      await link.send(deletes);
    } catch {
      // They are done, and go when somebody tends the queue.
    }
  };

  return {
    add(held) {
      const nowMs = performance.now();
      for (const { source, entryId } of held) {
        const list = done.get(source) ?? [];
        done.set(source, list);
        list.push({ entryId, atMs: nowMs });
        const oldEnough = list[batch - 1];
        if (!oldEnough || (oldEnough.atMs + keptMs > nowMs && list.length <= mostKept)) continue;
        void remove(
          source,
          list.splice(0, batch).map(({ entryId: id }) => id),
        );
      }
    },
    async flush() {
      const all = [...done];
      done.clear();
      await Promise.all(
        all.map(([source, list]) =>
          remove(
            source,
            list.map(({ entryId }) => entryId),
          ),
        ),
      );
    },
  };
}
