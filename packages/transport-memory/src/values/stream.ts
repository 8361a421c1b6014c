import type { TextMap } from "@continuum-cache/core/kit";
import { type Bulk, footprint } from "./bulk.ts";
import {
  countBefore,
  countOf,
  createIdOrder,
  dropFirst,
  firstOf,
  type IdOrder,
  insertItem,
  lastOf,
  removeItem,
} from "./id-order.ts";
import type { Group } from "./stream-group.ts";
import { compareIds, firstId, type StreamId } from "./stream-id.ts";

/** What a stream counts on top of its entries and groups. */
const streamOverheadBytes = 192;
/** What each entry counts on top of its fields: its id, and its place. */
const entryOverheadBytes = 288;
/** What each field name and each value counts on top of its own bytes. */
const partOverheadBytes = 32;

/** One entry: field, value, field, value… as they were given. */
export interface StreamEntry {
  readonly id: StreamId;
  readonly parts: readonly Bulk[];
}

/**
 * A stored stream. It stays when it is empty, since it remembers its last id. Plain data: only the functions here and
 * in stream-group.ts change it.
 */
export interface Stream {
  readonly type: "stream";
  readonly entries: IdOrder<StreamEntry>;
  /** The greatest id it ever had. */
  last: StreamId;
  /** The greatest id that was deleted from among the others. */
  lastDeleted: StreamId;
  /** How many entries it ever had. */
  added: number;
  /** By the ids of their names. */
  groups: TextMap<Group> | undefined;
  /** What it counts towards the limit, without key and entry. */
  bytes: number;
}

export function createStream(): Stream {
  return {
    type: "stream",
    entries: createIdOrder(),
    last: firstId,
    lastDeleted: firstId,
    added: 0,
    groups: undefined,
    bytes: streamOverheadBytes,
  };
}

/** What these fields and values would count. */
export function entryBytes(parts: readonly Bulk[]): number {
  return parts.reduce((sum, part) => sum + partOverheadBytes + footprint(part), entryOverheadBytes);
}

/** @param entry - Its id must be greater than the last. */
export function appendEntry(stream: Stream, entry: StreamEntry): void {
  insertItem(stream.entries, entry);
  stream.last = entry.id;
  stream.added++;
  stream.bytes += entryBytes(entry.parts);
}

/** Takes the oldest so many, of which there must be as many. */
export function dropOldest(stream: Stream, count: number): void {
  const { items, head } = stream.entries;
  for (let at = head; at < head + count; at++) stream.bytes -= entryBytes((items[at] as StreamEntry).parts);
  dropFirst(stream.entries, count);
}

export function deleteEntry(stream: Stream, id: StreamId): boolean {
  const entry = removeItem(stream.entries, id);
  if (!entry) return false;
  stream.bytes -= entryBytes(entry.parts);
  if (compareIds(id, stream.lastDeleted) > 0) stream.lastDeleted = id;
  return true;
}

/** How many entries were added up to an id; `undefined` if deleted entries make that unknown. */
export function addedUpTo(stream: Stream, id: StreamId): number | undefined {
  const { entries, last, lastDeleted, added } = stream;
  const length = countOf(entries);
  if (added === 0) return 0;
  const order = compareIds(id, last);
  if (order === 0 || (length === 0 && order < 0)) return added;
  const first = firstOf(entries);
  if (order > 0 || !first) return undefined;
  const isWhole = compareIds(lastDeleted, firstId) === 0 || compareIds(lastDeleted, first.id) < 0;
  const place = compareIds(id, first.id);
  if (!isWhole || place > 0) return undefined;
  return added - length + (place === 0 ? 1 : 0);
}

/** Whether something may have been deleted from an id on, and from behind the first entry. */
export function hasGapFrom({ entries, lastDeleted }: Stream, id: StreamId): boolean {
  const first = firstOf(entries);
  if (!first || compareIds(lastDeleted, firstId) === 0) return false;
  return compareIds(first.id, lastDeleted) <= 0 && compareIds(id, lastDeleted) <= 0;
}

/** Whether there is an entry after an id. */
export function hasAfter({ entries }: Stream, id: StreamId): boolean {
  const newest = lastOf(entries);
  return newest !== undefined && compareIds(newest.id, id) > 0;
}

/** How many of its entries are older than an id. */
export function countOlder({ entries }: Stream, id: StreamId): number {
  return countBefore(entries, id);
}
