import type { Reply } from "@continuum-cache/core";
import { type Bulk, handOut, word } from "../values/bulk.ts";
import { countOf, firstOf, lastOf } from "../values/id-order.ts";
import { noSuchKey, unsupported } from "../values/refusals.ts";
import type { Stream } from "../values/stream.ts";
import { byName, groupOf, lagOf, pendingCount } from "../values/stream-group.ts";
import { firstId, idText } from "../values/stream-id.ts";
import { type CommandContext, type CommandRows, row, withSubcommands } from "./command-row.ts";
import { badSubcommand, noGroup } from "./stream-groups.ts";
import { entryReply, streamAt } from "./streams.ts";

function expectStream(context: CommandContext, key: Bulk): Stream {
  const stream = streamAt(context, key);
  if (!stream) throw noSuchKey();
  return stream;
}

const pairs = (facts: Readonly<Record<string, Reply>>): Reply[] => Object.entries(facts).flat();

const subcommands: CommandRows = {
  STREAM: row(-2, (context, [key, ...words]) => {
    const stream = expectStream(context, key);
    if (words.length > 0) {
      if (word(words[0]) !== "FULL") throw badSubcommand(context);
      throw unsupported("ERR The memory backend answers XINFO STREAM without FULL only");
    }
    const [first, last] = [firstOf(stream.entries), lastOf(stream.entries)];
    // No radix-tree-keys and radix-tree-nodes: there is no such tree.
    return pairs({
      length: countOf(stream.entries),
      "last-generated-id": idText(stream.last),
      "max-deleted-entry-id": idText(stream.lastDeleted),
      "entries-added": stream.added,
      "recorded-first-entry-id": idText(first?.id ?? firstId),
      groups: stream.groups?.size ?? 0,
      "first-entry": first ? entryReply(first) : null,
      "last-entry": last ? entryReply(last) : null,
    });
  }),
  GROUPS: row(2, (context, [key]) => {
    const stream = expectStream(context, key);
    return byName(stream.groups).map((group) =>
      pairs({
        name: handOut(group.name),
        consumers: group.consumers.size,
        pending: pendingCount(group),
        "last-delivered-id": idText(group.lastDelivered),
        "entries-read": group.read ?? null,
        lag: lagOf(stream, group) ?? null,
      }),
    );
  }),
  CONSUMERS: row(3, (context, [key, name]) => {
    const group = groupOf(expectStream(context, key), name);
    if (!group) throw noGroup(key, name);
    return byName(group.consumers).map((consumer) =>
      pairs({
        name: handOut(consumer.name),
        pending: pendingCount(consumer),
        idle: Math.max(0, context.nowMs - consumer.seenMs),
      }),
    );
  }),
};

export const streamInfo: CommandRows = { XINFO: withSubcommands(subcommands) };
