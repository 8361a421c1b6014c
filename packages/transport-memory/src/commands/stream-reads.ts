import type { CommandError, Reply } from "@continuum-cache/core";
import { index, parseInteger } from "../numbers/integer.ts";
import { type Bulk, handOut, word } from "../values/bulk.ts";
import { itemsBetween, itemWith } from "../values/id-order.ts";
import { refusal, syntaxError, unsupported } from "../values/refusals.ts";
import { hasAfter, type Stream, type StreamEntry } from "../values/stream.ts";
import { assign, type Consumer, groupOf, moveOn, pendingBytes } from "../values/stream-group.ts";
import { compareIds, firstId, idAfter, idText, lastId, parseId, type StreamId } from "../values/stream-id.ts";
import { type CommandContext, type CommandRows, row } from "./command-row.ts";
import { consumerHere, expectGroup, type GroupAt } from "./stream-consumer.ts";
import { entryReply, settle, streamAt } from "./streams.ts";

/** The arguments of XREAD and XREADGROUP. */
export interface ReadOptions {
  readonly reader: { readonly group: Bulk; readonly consumer: Bulk } | undefined;
  readonly count: number;
  readonly noAck: boolean;
  readonly streams: readonly { readonly key: Bulk; readonly after: Bulk }[];
}

/** In the place of an id: the entries that no consumer of the group has been given. */
const news = ">";

export function readOptions(name: "XREAD" | "XREADGROUP", args: readonly Bulk[]): ReadOptions {
  let reader: ReadOptions["reader"];
  let count = Number.POSITIVE_INFINITY;
  let noAck = false;
  let blocks = false;
  for (let at = 0; at < args.length; at++) {
    const [option, first, second] = [word(args[at]), args[at + 1], args[at + 2]];
    if (option === "STREAMS" && first !== undefined) {
      const rest = args.slice(at + 1);
      if (rest.length % 2 === 1) {
        throw refusal("ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.");
      }
      if (name === "XREADGROUP" && !reader) throw refusal("ERR Missing GROUP option for XREADGROUP");
      if (blocks) throw neverWaits();
      const half = rest.length / 2;
      const streams = rest.slice(0, half).map((key, place) => ({ key, after: rest[half + place] as Bulk }));
      return { reader, count: count || Number.POSITIVE_INFINITY, noAck, streams };
    }
    if (option === "BLOCK" && first !== undefined) {
      assertTimeout(first);
      blocks = true;
      at++;
    } else if (option === "COUNT" && first !== undefined) {
      count = Math.max(0, index(first));
      at++;
    } else if (option === "GROUP" && first !== undefined && second !== undefined) {
      if (name === "XREAD") throw onlyInGroup("GROUP");
      reader = { group: first, consumer: second };
      at += 2;
    } else if (option === "NOACK") {
      if (name === "XREAD") throw onlyInGroup("NOACK");
      noAck = true;
    } else {
      throw syntaxError();
    }
  }
  throw syntaxError();
}

const onlyInGroup = (option: string): CommandError =>
  refusal(`ERR The ${option} option is only supported by XREADGROUP. You called XREAD instead.`);
const neverWaits = (): CommandError =>
  unsupported("ERR The memory backend answers at once: read without BLOCK, and again when there may be news");

function assertTimeout(bulk: Bulk): void {
  const timeoutMs = parseInteger(bulk);
  if (timeoutMs === undefined) throw refusal("ERR timeout is not an integer or out of range");
  if (timeoutMs < 0n) throw refusal("ERR timeout is negative");
}

/** Where reading begins, or `undefined` for what comes next in the group. */
function startAfter(after: Bulk, stream: Stream | undefined, inGroup: boolean): StreamId | undefined {
  if (after === "$") {
    if (!inGroup) return stream?.last ?? firstId;
    throw refusal(
      "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by " +
        "specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
    );
  }
  if (after === news) {
    if (inGroup) return undefined;
    throw refusal(
      "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
    );
  }
  const id = parseId(after, 0n);
  // Redis has one message for both.
  return inGroup && compareIds(id, lastId) === 0 ? undefined : id;
}

/** Gives a consumer entries that no consumer of its group had before. Nothing is changed if they do not fit. */
function takeNews(context: CommandContext, at: GroupAt, name: Bulk, { count, noAck }: ReadOptions): Reply[] {
  const { stream, group } = at;
  const entries = entriesAfter(stream, group.lastDelivered, count);
  const fresh = noAck ? [] : entries.filter(({ id }) => !itemWith(group.pending, id));
  const consumer = consumerHere(context, at, name, fresh.length * pendingBytes);
  for (const entry of entries) {
    moveOn(stream, group, entry);
    if (!noAck) assign(stream, group, consumer, { id: entry.id, deliveredMs: context.nowMs, deliveries: 1 });
  }
  return entries.map(entryReply);
}

/** The entries after an id that a consumer was given and has not acknowledged; deleted entries have no fields. */
function again(consumer: Consumer, { entries }: Stream, after: StreamId, count: number, nowMs: number): Reply[] {
  const from = idAfter(after);
  if (!from) return [];
  return itemsBetween(consumer.pending, from, lastId, { count }).map((pending): Reply => {
    const entry = itemWith(entries, pending.id);
    if (!entry) return [idText(pending.id), null];
    pending.deliveries++;
    pending.deliveredMs = nowMs;
    return entryReply(entry);
  });
}

function entriesAfter({ entries }: Stream, after: StreamId, count: number): StreamEntry[] {
  const from = idAfter(after);
  return from ? itemsBetween(entries, from, lastId, { count }) : [];
}

const orNull = (replies: readonly Reply[]): Reply => (replies.length > 0 ? replies : null);

export const streamReads: CommandRows = {
  XREAD: row(-4, (context, args) => {
    const { streams, count } = readOptions("XREAD", args);
    const starts = streams.map(({ key, after }) => startAfter(after, streamAt(context, key), false) ?? firstId);
    const found = streams.flatMap(({ key }, at): Reply[] => {
      const stream = streamAt(context, key);
      const after = starts[at] as StreamId;
      if (!stream || !hasAfter(stream, after)) return [];
      return [[handOut(key), entriesAfter(stream, after, count).map(entryReply)]];
    });
    return orNull(found);
  }),
  XREADGROUP: row(-7, (context, args) => {
    const options = readOptions("XREADGROUP", args);
    const { reader, streams, count } = options;
    if (!reader) return null;
    const starts = streams.map(({ key, after }) => {
      const { stream } = expectGroup(context, key, reader.group, " in XREADGROUP with GROUP option");
      return startAfter(after, stream, true);
    });
    const found = streams.flatMap(({ key }, place): Reply[] => {
      // Entries that were given from another key may have evicted this one.
      const stream = streamAt(context, key);
      const group = stream && groupOf(stream, reader.group);
      if (!stream || !group) return [];
      const at = { key, stream, group };
      const after = starts[place];
      if (!after && !hasAfter(stream, group.lastDelivered)) return [];
      const replies = after
        ? again(consumerHere(context, at, reader.consumer, 0), stream, after, count, context.nowMs)
        : takeNews(context, at, reader.consumer, options);
      settle(context, key, stream);
      return [[handOut(key), replies]];
    });
    return orNull(found);
  }),
};
