import type { Bulk } from "@continuum-cache/transport-memory/kit";
import { encodeRecord, type JournalRecord, recordsOf } from "./journal-record.ts";
import type { Segment } from "./segment.ts";

/** A copy of a journal as it was when the copy began, made in steps, as the records that restore it. */
export interface JournalCopy {
  /** Copies about so many more keys. @returns whether any may be left. */
  more(keys: number): boolean;
  /** The records, encoded, in order. */
  encoded(): Uint8Array[];
}

/** The parts of a journal. */
export interface JournalParts {
  /** The replay: its segment, its id, its confirmed batches, and the keys that the primary has replaced meanwhile. */
  readonly replaying:
    | { readonly segment: Segment; readonly id: string; readonly done: number; readonly forgotten: readonly Bulk[] }
    | undefined;
  readonly current: Segment;
}

/** Begins a copy of a journal. A copy that was in progress ends. */
export function beginJournalCopy({ replaying, current }: JournalParts): JournalCopy {
  const sent = replaying && beginSegmentCopy(replaying.segment);
  const unsent = beginSegmentCopy(current);
  const marks: JournalRecord[] = [];
  // Batches that are confirmed during the copy are not in it.
  if (replaying) marks.push({ kind: "begin", id: replaying.id });
  if (replaying && replaying.done > 0) marks.push({ kind: "confirm", batches: replaying.done });
  for (const key of replaying?.forgotten ?? []) marks.push({ kind: "forget", key });
  return {
    more: (keys) => (sent?.more(keys) ?? false) || unsent.more(keys),
    encoded: () => [...(sent?.encoded() ?? []), ...marks.map(encodeRecord), ...unsent.encoded()],
  };
}

/** How many deleted keys one record holds. */
const keysPerRecord = 1_000;

/**
 * Copies a segment as the shortest records that make the same batches: its deletes, its patterns, and the changes of
 * all other keys. Deletes come first: after a pattern that matches, a delete would be no entry of its own.
 */
function beginSegmentCopy(segment: Segment): JournalCopy {
  const deletes: Uint8Array[] = [];
  const changes: Uint8Array[] = [];
  const keys: Bulk[] = [];
  const mutations: number[] = [];
  const invalidations = Array.from(segment.patterns.values(), ({ glob, mutations: count }) =>
    encodeRecord({ kind: "invalidate", glob, mutations: count }),
  );
  const takeDeletes = (): void => {
    deletes.push(encodeRecord({ kind: "deletes", keys: keys.splice(0), mutations: mutations.splice(0) }));
  };
  const more = segment.beginCopy({
    deleted(key, count) {
      keys.push(key);
      mutations.push(count);
      if (keys.length === keysPerRecord) takeDeletes();
    },
    changed(change) {
      for (const record of recordsOf(change)) changes.push(encodeRecord(record));
    },
  });
  return {
    more,
    encoded() {
      if (keys.length > 0) takeDeletes();
      return [...deletes, ...invalidations, ...changes];
    },
  };
}
