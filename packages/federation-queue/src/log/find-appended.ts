import type { Command, Reply } from "@continuum-cache/core";
import { accepted, type Link } from "../shared/link.ts";
import type { LogKeys } from "./log-keys.ts";
import type { LogItem } from "./pending-event.ts";
import { eventText, parseId, type StreamEntry, type StreamId, writeId } from "./stream.ts";

/** How many of the first of these are in the stream, though nobody has heard of it. */
export async function findArrived(link: Link, stream: string, items: readonly LogItem[]): Promise<number> {
  const sent = items.filter(({ isFixed, isRepeat, id }) => id && (isFixed || isRepeat));
  const commands = sent.flatMap(({ id }): Command[] => (id ? [["XRANGE", stream, writeId(id), writeId(id)]] : []));
  const replies = await link.send(commands);
  const missing = sent.findIndex(({ text }, at) => {
    const [entry] = accepted(replies[at]) as readonly StreamEntry[];
    return !entry || eventText(entry) !== text;
  });
  return missing < 0 ? sent.length : missing;
}

/** The last event of an origin whose stream is gone, as far as its readers have seen it: numbers go on behind it. */
export async function findLast(link: Link, keys: LogKeys, origin: string, known: StreamId): Promise<StreamId> {
  const [names] = await link.send([["HKEYS", keys.registry]]);
  const readers = (accepted(names) as readonly Reply[]).filter((name) => typeof name === "string");
  const cursors = await link.send(readers.map((reader): Command => ["HGET", keys.cursors(reader), origin]));
  return cursors.reduce<StreamId>((last, cursor) => {
    const id = parseId(cursor);
    return id && id.seq > last.seq ? id : last;
  }, known);
}
