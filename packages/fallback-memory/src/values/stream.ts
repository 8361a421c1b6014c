import { type Bulk, footprint } from "./bulk.ts";
import { compareIds, firstId, type StreamId } from "./stream-id.ts";

/** What a stream counts on top of its entries. */
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
 * A stored stream: entries by rising id, from `head` on. It stays when it is empty, since it remembers its last id. Plain data:
 * only the functions below touch it.
 */
export interface Stream {
  readonly type: "stream";
  entries: StreamEntry[];
  head: number;
  /** The greatest id it ever had. */
  last: StreamId;
  /** What it counts towards the limit, without key and entry. */
  bytes: number;
}

export function createStream(): Stream {
  return { type: "stream", entries: [], head: 0, last: firstId, bytes: streamOverheadBytes };
}

export function lengthOf({ entries, head }: Stream): number {
  return entries.length - head;
}

/** What these fields and values would count. */
export function entryBytes(parts: readonly Bulk[]): number {
  return parts.reduce((sum, part) => sum + partOverheadBytes + footprint(part), entryOverheadBytes);
}

/** @param entry - Its id must be greater than the last. */
export function appendEntry(stream: Stream, entry: StreamEntry): void {
  stream.entries.push(entry);
  stream.last = entry.id;
  stream.bytes += entryBytes(entry.parts);
}

/** The entries from one id to another, both included, at most so many; in reverse from the other end. */
export function entriesBetween(
  stream: Stream,
  from: StreamId,
  to: StreamId,
  { count, reverse }: { readonly count: number; readonly reverse: boolean },
): StreamEntry[] {
  const start = placeOf(stream, from);
  const end = placeOf(stream, to, true);
  if (!reverse) return stream.entries.slice(start, Math.min(end, start + count));
  return stream.entries.slice(Math.max(start, end - count), Math.max(start, end)).reverse();
}

export function allEntries({ entries, head }: Stream): StreamEntry[] {
  return entries.slice(head);
}

/** Takes the oldest so many. @returns how many there were to take. */
export function dropOldest(stream: Stream, count: number): number {
  const dropped = Math.min(count, lengthOf(stream));
  for (let at = stream.head; at < stream.head + dropped; at++) {
    stream.bytes -= entryBytes((stream.entries[at] as StreamEntry).parts);
  }
  stream.head += dropped;
  // What was taken is let go once it is half of it all, so that taking one is cheap on average.
  if (stream.head * 2 >= stream.entries.length) {
    stream.entries = stream.entries.slice(stream.head);
    stream.head = 0;
  }
  return dropped;
}

/** How many entries come before an id. */
export function countBefore(stream: Stream, id: StreamId): number {
  return placeOf(stream, id) - stream.head;
}

export function deleteEntry(stream: Stream, id: StreamId): boolean {
  const place = placeOf(stream, id);
  const entry = stream.entries[place];
  if (!entry || compareIds(entry.id, id) !== 0) return false;
  if (place === stream.head) return dropOldest(stream, 1) === 1;
  stream.bytes -= entryBytes(entry.parts);
  stream.entries.splice(place, 1);
  return true;
}

/** Where the first entry stands that is not before an id (or, `behind` it, that is after it). */
function placeOf({ entries, head }: Stream, id: StreamId, behind = false): number {
  let [low, high] = [head, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareIds((entries[middle] as StreamEntry).id, id);
    if (order < 0 || (behind && order === 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}
