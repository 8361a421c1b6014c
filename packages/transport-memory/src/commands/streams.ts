import type { Reply } from "@continuum-cache/core";
import { never } from "../keyspace/keyspace.ts";
import { index } from "../numbers/integer.ts";
import { type Bulk, handOut, word } from "../values/bulk.ts";
import { countOf, itemsBetween, lastOf } from "../values/id-order.ts";
import { noSuchKey, refusal, syntaxError, wrongArity } from "../values/refusals.ts";
import { expectType } from "../values/stored-value.ts";
import { appendEntry, createStream, deleteEntry, entryBytes, type Stream, type StreamEntry } from "../values/stream.ts";
import {
  compareIds,
  firstId,
  idAfter,
  idBefore,
  idText,
  largest,
  lastId,
  parseBound,
  parseId,
  parsePartialId,
  type StreamId,
} from "../values/stream-id.ts";
import { type CommandContext, type CommandRow, type CommandRows, row } from "./command-row.ts";
import { trimOptions, trimStream } from "./stream-trim.ts";

export const streamAt = ({ keyspace }: CommandContext, key: Bulk): Stream | undefined =>
  expectType("stream", keyspace.find(key)?.value);

/** Stores the new size of a stream; an empty one stays. */
export const settle = ({ keyspace }: CommandContext, key: Bulk, stream: Stream): void =>
  keyspace.put(key, stream, keyspace.peek(key)?.expiresAtMs ?? never);

export const entryReply = ({ id, parts }: StreamEntry): Reply => [idText(id), parts.map(handOut)];

const tooSmall = () => refusal("ERR The ID specified in XADD is equal or smaller than the target stream top item");

/** The id that an entry gets: the caller's, or the next. */
function newId(wanted: Bulk, last: StreamId, nowMs: number): StreamId {
  if (wanted === "*") {
    const ms = BigInt(nowMs);
    return ms > last.ms ? { ms, seq: 0n } : (idAfter(last) ?? lastId);
  }
  const { ms, seq = 0n } = parsePartialId(wanted);
  if (seq !== "*") return { ms, seq };
  if (ms !== last.ms) return { ms, seq: 0n };
  // Redis has no message of its own for exhausted numbers.
  if (last.seq === largest) throw tooSmall();
  return { ms, seq: last.seq + 1n };
}

/** Both ends of a range of ids, an excluded one moved by one. @throws CommandError when nothing is between them. */
export function idRange(start: Bulk, end: Bulk): readonly [from: StreamId, to: StreamId] {
  const from = startOfRange(start);
  const last = bound(end, largest);
  const to = last.isExcluded ? idBefore(last.id) : last.id;
  if (!to) throw refusal("ERR invalid end ID for the interval");
  return [from, to];
}

/** Where a range begins. */
export function startOfRange(bulk: Bulk): StreamId {
  const first = bound(bulk, 0n);
  const from = first.isExcluded ? idAfter(first.id) : first.id;
  if (!from) throw refusal("ERR invalid start ID for the interval");
  return from;
}

function bound(bulk: Bulk, missingSeq: bigint): { readonly id: StreamId; readonly isExcluded: boolean } {
  const isExcluded = typeof bulk === "string" && bulk.length > 1 && bulk.startsWith("(");
  return { id: isExcluded ? parseId(bulk.slice(1), missingSeq) : parseBound(bulk, missingSeq), isExcluded };
}

/** XRANGE and XREVRANGE. */
const range = (reverse: boolean): CommandRow =>
  row(-4, (context, [key, first, second, ...words]) => {
    const [from, to] = reverse ? idRange(second, first) : idRange(first, second);
    let count = Number.POSITIVE_INFINITY;
    for (let at = 0; at < words.length; at += 2) {
      const value = words[at + 1];
      if (word(words[at]) !== "COUNT" || value === undefined) throw syntaxError();
      count = Math.max(0, index(value));
    }
    const stream = streamAt(context, key);
    if (!stream) return [];
    if (count === 0) return null;
    return itemsBetween(stream.entries, from, to, { count, reverse }).map(entryReply);
  });

export const streams: CommandRows = {
  XADD: row(-5, (context, [key, ...words]) => {
    const { trim, makesNone, words: options } = trimOptions(words, "XADD");
    const [wanted, ...parts] = words.slice(options);
    if (wanted === undefined || parts.length < 2 || parts.length % 2 === 1) throw wrongArity(context.name);
    if (wanted !== "*" && isFirst(wanted)) throw refusal("ERR The ID specified in XADD must be greater than 0-0");
    const found = streamAt(context, key);
    if (!found && makesNone) return null;
    const stream = found ?? createStream();
    if (compareIds(stream.last, lastId) === 0) {
      throw refusal("ERR The stream has exhausted the last possible ID, unable to add more items");
    }
    const id = newId(wanted, stream.last, context.nowMs);
    if (compareIds(id, stream.last) <= 0) throw tooSmall();
    context.keyspace.assertFits(key, stream.bytes + entryBytes(parts));
    appendEntry(stream, { id, parts });
    if (trim) trimStream(stream, trim);
    settle(context, key, stream);
    return idText(id);
  }),
  XLEN: row(2, (context, [key]) => {
    const stream = streamAt(context, key);
    return stream ? countOf(stream.entries) : 0;
  }),
  XRANGE: range(false),
  XREVRANGE: range(true),
  XDEL: row(-3, (context, [key, ...ids]) => {
    const stream = streamAt(context, key);
    if (!stream) return 0;
    const wanted = ids.map((id) => parseId(id, 0n));
    const deleted = wanted.filter((id) => deleteEntry(stream, id)).length;
    if (deleted > 0) settle(context, key, stream);
    return deleted;
  }),
  XTRIM: row(-4, (context, [key, ...words]) => {
    const { trim } = trimOptions(words, "XTRIM");
    const stream = streamAt(context, key);
    if (!stream || !trim) return 0;
    const trimmed = trimStream(stream, trim);
    if (trimmed > 0) settle(context, key, stream);
    return trimmed;
  }),
  XSETID: row(-3, (context, [key, last, ...words]) => {
    const id = parseId(last, 0n);
    const { added, lastDeleted } = lastIdOptions(words, id);
    const stream = streamAt(context, key);
    if (!stream) throw noSuchKey();
    const newest = lastOf(stream.entries);
    if (newest && compareIds(id, newest.id) < 0) {
      throw refusal("ERR The ID specified in XSETID is smaller than the target stream top item");
    }
    if (newest && added !== undefined && added < countOf(stream.entries)) {
      throw refusal("ERR The entries_added specified in XSETID is smaller than the target stream length");
    }
    stream.last = id;
    if (added !== undefined) stream.added = added;
    if (compareIds(lastDeleted, firstId) !== 0) stream.lastDeleted = lastDeleted;
    settle(context, key, stream);
    return "OK";
  }),
};

function lastIdOptions(
  words: readonly Bulk[],
  last: StreamId,
): { readonly added: number | undefined; readonly lastDeleted: StreamId } {
  let added: number | undefined;
  let lastDeleted = firstId;
  for (let at = 0; at < words.length; at += 2) {
    const [option, value] = [word(words[at]), words[at + 1]];
    if (option === "ENTRIESADDED" && value !== undefined) {
      added = index(value);
      if (added < 0) throw refusal("ERR entries_added must be positive");
    } else if (option === "MAXDELETEDID" && value !== undefined) {
      lastDeleted = parseId(value, 0n);
      if (compareIds(last, lastDeleted) < 0) {
        throw refusal("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
      }
    } else {
      throw syntaxError();
    }
  }
  return { added, lastDeleted };
}

/** Whether it is 0-0, which no entry can have. */
function isFirst(wanted: Bulk): boolean {
  const { ms, seq = 0n } = parsePartialId(wanted);
  return ms === 0n && seq === 0n;
}
