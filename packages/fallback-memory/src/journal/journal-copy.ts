import type { Bulk } from "@continuum-cache/transport-memory/kit";
import { encodeRecord, type JournalRecord, writeRecordsOf } from "./journal-record.ts";
import type { Segment } from "./segment.ts";

/** The records that a journal can be read from, made bit by bit: what happens to the journal meanwhile is not in them. */
export interface JournalCopy {
  /** Copies about so many more keys. @returns whether any may be left. */
  more(keys: number): boolean;
  /** What was copied, in order. */
  encoded(): Uint8Array[];
}

/** What a journal consists of. */
export interface JournalParts {
  /** What is on its way to the primary, under which name, how many of its batches are confirmed, and which keys it has replaced. */
  readonly underway:
    | { readonly segment: Segment; readonly id: string; readonly done: number; readonly forgotten: readonly Bulk[] }
    | undefined;
  readonly current: Segment;
}

/** Begins a copy of a journal, and ends one that was under way. */
export function beginJournalCopy({ underway, current }: JournalParts): JournalCopy {
  const sent = underway && beginSegmentCopy(underway.segment);
  const unsent = beginSegmentCopy(current);
  const marks: JournalRecord[] = [];
  // As it is now, whatever is confirmed meanwhile.
  if (underway) marks.push({ kind: "begin", id: underway.id });
  if (underway && underway.done > 0) marks.push({ kind: "confirm", batches: underway.done });
  for (const key of underway?.forgotten ?? []) marks.push({ kind: "forget", key });
  return {
    more: (keys) => (sent?.more(keys) ?? false) || unsent.more(keys),
    encoded: () => [...(sent?.encoded() ?? []), ...marks.map(encodeRecord), ...unsent.encoded()],
  };
}

/** So many deleted keys stand in one record. */
const keysPerRecord = 1_000;

/**
 * The shortest records that make a segment with the same batches: its deletes, its patterns, and for each other key what is
 * intended for it. A delete behind a pattern that matches would be no entry of its own.
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
    changed(intent) {
      for (const record of writeRecordsOf(intent)) changes.push(encodeRecord(record));
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
