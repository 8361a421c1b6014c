import type { Command } from "@continuum-cache/core";
import { chunked } from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../../shared/primary-client.ts";
import type { LeaseRecord } from "../leases.ts";
import type { PriorityStream } from "../queue-keys.ts";

/**
 * Deletes the entries of acked messages, many at a time. They stay in Redis for the repair window, in which their
 * absence would mean that a failover has lost the push. Maintenance deletes the entries of processes that died.
 */
export interface AckedEntries {
  add(acked: readonly LeaseRecord[]): void;
  /** Deletes all of them. Never rejects. */
  flush(): Promise<void>;
}

const batch = 100;
/** No process remembers more pushes than this. */
const mostKept = 10_000;

interface AckedEntry {
  readonly entryId: string;
  readonly atMs: number;
}

export function createAckedEntries(client: PrimaryClient, keepMs: number): AckedEntries {
  const byStream = new Map<PriorityStream, AckedEntry[]>();

  const remove = async (stream: PriorityStream, entries: readonly AckedEntry[]): Promise<void> => {
    const deletes = chunked(entries, { items: batch }).map(
      (part): Command => ["XDEL", stream.key, ...part.map(({ entryId }) => entryId)],
    );
    // A failure is harmless: maintenance deletes them.
    if (deletes.length > 0) await client.send(deletes).catch(() => {});
  };

  return {
    add(acked) {
      const nowMs = performance.now();
      for (const { stream, entryId } of acked) {
        const list = byStream.get(stream) ?? [];
        byStream.set(stream, list);
        list.push({ entryId, atMs: nowMs });
        const last = list[batch - 1];
        if (last && (last.atMs + keepMs <= nowMs || list.length > mostKept)) void remove(stream, list.splice(0, batch));
      }
    },
    async flush() {
      const all = [...byStream];
      byStream.clear();
      await Promise.all(all.map(([stream, entries]) => remove(stream, entries)));
    },
  };
}
