import type { Command, Reply } from "@continuum-cache/core";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { unwrap } from "../shared/replies.ts";
import type { LogKeys } from "./log-keys.ts";
import { parseId, type StreamId } from "./stream-id.ts";

/** The last event of an origin whose stream is gone, as far as its readers have seen it: numbers go on behind it. */
export async function findLast(link: PrimaryClient, keys: LogKeys, origin: string, known: StreamId): Promise<StreamId> {
  const [names] = await link.send([["HKEYS", keys.registry]]);
  const readers = (unwrap(names) as readonly Reply[]).filter((name) => typeof name === "string");
  const cursors = await link.send(readers.map((reader): Command => ["HGET", keys.cursors(reader), origin]));
  return cursors.reduce<StreamId>((last, cursor) => {
    const id = parseId(cursor);
    return id && id.seq > last.seq ? id : last;
  }, known);
}
