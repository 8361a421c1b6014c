import type { Command } from "@continuum-cache/core";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { unwrap } from "../shared/replies.ts";
import { eventText, type StreamEntry } from "./entry-fields.ts";
import type { LogItem } from "./log-item.ts";
import { writeId } from "./stream-id.ts";

/** How many of the first of these are in the stream, though nobody has heard of it. */
export async function findArrived(link: PrimaryClient, stream: string, items: readonly LogItem[]): Promise<number> {
  const sent = items.filter(({ isFixed, isRepeat, id }) => id && (isFixed || isRepeat));
  const commands = sent.flatMap(({ id }): Command[] => (id ? [["XRANGE", stream, writeId(id), writeId(id)]] : []));
  const replies = await link.send(commands);
  const missing = sent.findIndex(({ text }, at) => {
    const [entry] = unwrap(replies[at]) as readonly StreamEntry[];
    return !entry || eventText(entry) !== text;
  });
  return missing < 0 ? sent.length : missing;
}
