import type { Reply } from "@continuum-cache/core";
import { never } from "../keyspace/keyspace.ts";
import { index } from "../numbers/integer.ts";
import { refusal, syntaxError, wrongArity } from "../refusals.ts";
import { type Bulk, handOut, word } from "../values/bulk.ts";
import { expectType } from "../values/stored-value.ts";
import {
  appendEntry,
  createStream,
  deleteEntry,
  entriesBetween,
  entryBytes,
  lengthOf,
  type Stream,
  type StreamEntry,
} from "../values/stream.ts";
import {
  compareIds,
  firstId,
  idAfter,
  idBefore,
  idText,
  largest,
  lastId,
  parseId,
  parsePartialId,
  type StreamId,
} from "../values/stream-id.ts";
import { type CommandContext, type CommandRow, type CommandRows, row } from "./command-row.ts";
import { trimOptions, trimStream } from "./stream-trim.ts";

const streamAt = ({ keyspace }: CommandContext, key: Bulk): Stream | undefined =>
  expectType("stream", keyspace.find(key)?.value);

/** Takes note of what became of a stream; an empty one stays. */
const settle = ({ keyspace }: CommandContext, key: Bulk, stream: Stream): void =>
  keyspace.put(key, stream, keyspace.peek(key)?.expiresAtMs ?? never);

const entryReply = ({ id, parts }: StreamEntry): Reply => [idText(id), parts.map(handOut)];

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
  // Redis has no words of its own for numbers that have run out.
  if (last.seq === largest) throw refusal("ERR Elements are too large to be stored");
  return { ms, seq: last.seq + 1n };
}

/** XRANGE and XREVRANGE. */
const range = (reverse: boolean): CommandRow =>
  row(-4, (context, [key, first, second, ...words]) => {
    const [from, to] = reverse ? [second, first] : [first, second];
    const start = bound(from, 0n);
    const startId = start.isExcluded ? idAfter(start.id) : start.id;
    if (!startId) throw refusal("ERR invalid start ID for the interval");
    const end = bound(to, largest);
    const endId = end.isExcluded ? idBefore(end.id) : end.id;
    if (!endId) throw refusal("ERR invalid end ID for the interval");
    let count = Number.POSITIVE_INFINITY;
    for (let at = 0; at < words.length; at += 2) {
      const value = words[at + 1];
      if (word(words[at]) !== "COUNT" || value === undefined) throw syntaxError();
      count = Math.max(0, index(value));
    }
    const stream = streamAt(context, key);
    if (!stream) return [];
    if (count === 0) return null;
    return entriesBetween(stream, startId, endId, { count, reverse }).map(entryReply);
  });

function bound(bulk: Bulk, missingSeq: bigint): { readonly id: StreamId; readonly isExcluded: boolean } {
  if (bulk === "-") return { id: firstId, isExcluded: false };
  if (bulk === "+") return { id: lastId, isExcluded: false };
  const isExcluded = typeof bulk === "string" && bulk.length > 1 && bulk.startsWith("(");
  return { id: parseId(isExcluded ? bulk.slice(1) : bulk, missingSeq), isExcluded };
}

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
    return stream ? lengthOf(stream) : 0;
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
};

/** Whether it is 0-0, which no entry can have. */
function isFirst(wanted: Bulk): boolean {
  const { ms, seq = 0n } = parsePartialId(wanted);
  return ms === 0n && seq === 0n;
}
