import type { Command, Reply } from "@continuum-cache/core";
import { unwrap } from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../shared/primary-client.ts";
import type { LogKeys } from "./log-keys.ts";
import type { PendingEvent } from "./pending-event.ts";
import { eventText, laterOf, parseId, type StreamEntry, type StreamId, writeId } from "./stream.ts";

/** How many of the first of these events are in the stream, though the reply to them was lost. */
export async function findAppended(
  link: PrimaryClient,
  stream: string,
  events: readonly PendingEvent[],
): Promise<number> {
  const sent = events.filter(({ isFixed, isRepeat, id }) => id && (isFixed || isRepeat));
  const commands = sent.flatMap(({ id }): Command[] => (id ? [["XRANGE", stream, writeId(id), writeId(id)]] : []));
  const replies = await link.send(commands);
  const missing = sent.findIndex(({ text }, at) => {
    const [entry] = unwrap(replies[at]) as readonly StreamEntry[];
    return !entry || eventText(entry) !== text;
  });
  return missing < 0 ? sent.length : missing;
}

/** The last event that readers have seen of an origin whose stream is gone: its numbers go on behind it. */
export async function findLastSeen(
  link: PrimaryClient,
  keys: LogKeys,
  origin: string,
  known: StreamId,
): Promise<StreamId> {
  const [names] = await link.send([["HKEYS", keys.registry]]);
  const readers = (unwrap(names) as readonly Reply[]).filter((name) => typeof name === "string");
  const cursors = await link.send(readers.map((reader): Command => ["HGET", keys.cursors(reader), origin]));
  return cursors.reduce<StreamId>((last, cursor) => laterOf(last, parseId(cursor) ?? last), known);
}
