import type { CommandError, Reply } from "@continuum-cache/core";
import { index } from "../numbers/integer.ts";
import { type Bulk, handOut, legible, word } from "../values/bulk.ts";
import { firstOf, itemsBetween, itemWith, lastOf } from "../values/id-order.ts";
import { refusal, syntaxError } from "../values/refusals.ts";
import { createStream, type Stream } from "../values/stream.ts";
import {
  byName,
  consumerOf,
  createConsumer,
  createGroup,
  type Group,
  groupOf,
  newConsumerBytes,
  newGroupBytes,
  pendingCount,
  release,
  removeConsumer,
  removeGroup,
} from "../values/stream-group.ts";
import { firstId, idText, parseBound, parseId, type StreamId } from "../values/stream-id.ts";
import { type CommandContext, type CommandRows, row, withSubcommands } from "./command-row.ts";
import { expectGroup } from "./stream-consumer.ts";
import { idRange, settle, streamAt } from "./streams.ts";

/** What Redis says to a subcommand whose options it does not know. */
export const badSubcommand = ({ name, subcommand = "" }: CommandContext): CommandError =>
  refusal(
    `ERR unknown subcommand or wrong number of arguments for '${legible(subcommand).slice(0, 128)}'. Try ${name} HELP.`,
  );

export const noGroup = (key: Bulk, name: Bulk): CommandError =>
  refusal(`NOGROUP No such consumer group '${legible(name)}' for key name '${legible(key)}'`);

/** The words after the id of XGROUP CREATE and XGROUP SETID. */
function groupOptions(context: CommandContext, words: readonly Bulk[]) {
  const isCreate = word(context.subcommand) === "CREATE";
  let makesStream = false;
  let read: number | undefined;
  for (let at = 0; at < words.length; at++) {
    const [option, value] = [word(words[at]), words[at + 1]];
    if (isCreate && option === "MKSTREAM") {
      makesStream = true;
    } else if (option === "ENTRIESREAD" && value !== undefined) {
      read = index(value);
      if (read < -1) throw refusal("ERR value for ENTRIESREAD must be positive or -1");
      at++;
    } else {
      throw badSubcommand(context);
    }
  }
  return { makesStream, read: read === -1 ? undefined : read };
}

function expectStream(context: CommandContext, key: Bulk): Stream {
  const stream = streamAt(context, key);
  if (stream) return stream;
  throw refusal(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the " +
      "MKSTREAM option to create an empty stream automatically.",
  );
}

function expectGroupOf(stream: Stream, key: Bulk, name: Bulk): Group {
  const group = groupOf(stream, name);
  if (!group) throw noGroup(key, name);
  return group;
}

const subcommands: CommandRows = {
  CREATE: row(-4, (context, [key, name, start, ...words]) => {
    const { makesStream, read } = groupOptions(context, words);
    const found = makesStream ? streamAt(context, key) : expectStream(context, key);
    if (words.length > 3) throw badSubcommand(context);
    const id = start === "$" ? (found?.last ?? firstId) : parseId(start, 0n);
    const stream = found ?? createStream();
    if (groupOf(stream, name)) throw refusal("BUSYGROUP Consumer Group name already exists");
    context.keyspace.assertFits(key, stream.bytes + newGroupBytes(name));
    createGroup(stream, name, id, read);
    settle(context, key, stream);
    return "OK";
  }),
  SETID: row(-4, (context, [key, name, start, ...words]) => {
    const { read } = groupOptions(context, words);
    const stream = expectStream(context, key);
    const group = expectGroupOf(stream, key, name);
    if (words.length > 2) throw badSubcommand(context);
    group.lastDelivered = start === "$" ? stream.last : parseBound(start);
    group.read = read;
    return "OK";
  }),
  DESTROY: row(3, (context, [key, name]) => {
    const stream = expectStream(context, key);
    const group = groupOf(stream, name);
    if (!group) return 0;
    removeGroup(stream, group);
    settle(context, key, stream);
    return 1;
  }),
  CREATECONSUMER: row(4, (context, [key, name, consumer]) => {
    const stream = expectStream(context, key);
    const group = expectGroupOf(stream, key, name);
    if (consumerOf(group, consumer)) return 0;
    context.keyspace.assertFits(key, stream.bytes + newConsumerBytes(consumer));
    createConsumer(stream, group, consumer, context.nowMs);
    settle(context, key, stream);
    return 1;
  }),
  DELCONSUMER: row(4, (context, [key, name, consumer]) => {
    const stream = expectStream(context, key);
    const group = expectGroupOf(stream, key, name);
    const found = consumerOf(group, consumer);
    if (!found) return 0;
    const lost = removeConsumer(stream, group, found);
    settle(context, key, stream);
    return lost;
  }),
};

/** XPENDING without a range. */
function summary(group: Group): Reply {
  const [first, last] = [firstOf(group.pending), lastOf(group.pending)];
  if (!first || !last) return [0, null, null, null];
  const holders = byName(group.consumers).filter((consumer) => pendingCount(consumer) > 0);
  return [
    pendingCount(group),
    idText(first.id),
    idText(last.id),
    holders.map((consumer) => [handOut(consumer.name), String(pendingCount(consumer))]),
  ];
}

interface PendingRange {
  readonly minIdleMs: number;
  readonly ends: readonly [from: StreamId, to: StreamId];
  readonly count: number;
  readonly consumer: Bulk | undefined;
}

function pendingRange(words: readonly Bulk[]): PendingRange {
  if (words.length < 3 || words.length > 6) throw syntaxError();
  const isIdle = word(words[0]) === "IDLE";
  const minIdleMs = isIdle ? index(words[1] as Bulk) : 0;
  const [start, end, count, consumer] = isIdle ? words.slice(2) : words;
  if (start === undefined || end === undefined || count === undefined) throw syntaxError();
  const most = Math.max(0, index(count));
  return { minIdleMs, ends: idRange(start, end), count: most, consumer };
}

export const streamGroups: CommandRows = {
  XGROUP: withSubcommands(subcommands),
  XACK: row(-4, (context, [key, name, ...ids]) => {
    const stream = streamAt(context, key);
    const group = stream && groupOf(stream, name);
    if (!group) return 0;
    const acknowledged = ids
      .map((id) => parseId(id, 0n))
      .filter((id) => {
        const pending = itemWith(group.pending, id);
        if (pending) release(stream, group, pending);
        return pending !== undefined;
      }).length;
    if (acknowledged > 0) settle(context, key, stream);
    return acknowledged;
  }),
  XPENDING: row(-3, (context, [key, name, ...words]) => {
    const range = words.length === 0 ? undefined : pendingRange(words);
    const { group } = expectGroup(context, key, name);
    if (!range) return summary(group);
    const { minIdleMs, ends, count, consumer } = range;
    const from = consumer === undefined ? group : consumerOf(group, consumer);
    if (!from) return [];
    return itemsBetween(from.pending, ...ends, minIdleMs > 0 ? {} : { count })
      .filter(({ deliveredMs }) => minIdleMs === 0 || context.nowMs - deliveredMs >= minIdleMs)
      .slice(0, count)
      .map((pending) => [
        idText(pending.id),
        handOut(pending.consumer.name),
        Math.max(0, context.nowMs - pending.deliveredMs),
        pending.deliveries,
      ]);
  }),
};
