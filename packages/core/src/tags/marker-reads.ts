import { isCommandError, unwrap } from "../errors/command-error.ts";
import { createLru } from "../keys/lru.ts";
import type { Command, Reply, SendOptions } from "../ports/transport.ts";
import type { OutagePlace } from "./outage-place.ts";

/** Markers that were read, by key; undefined where none is. */
export type Texts = ReadonlyMap<string, string | undefined>;

/** How a store talks to the server. */
export interface MarkerTrips {
  /** Sends commands next to each other, in one round trip. */
  send(commands: readonly Command[], options: SendOptions): Promise<Reply[]>;
  /** Reads strings in one command with whatever else this tick reads. */
  read(keys: readonly string[], options: SendOptions): Promise<readonly Reply[]>;
  /** The same options, with what is left of the time of a call that began then. */
  left(options: SendOptions, startedMs: number): SendOptions;
}

/** The reads of markers. It remembers which texts it has read, and when first. */
export interface MarkerReads {
  /** How many reads there were. */
  readonly order: number;
  /** Reads markers, with whatever else this tick reads. */
  read(keys: readonly string[], options: SendOptions): Promise<Texts>;
  /** Reads markers at one moment, after some commands. */
  readAfter(commands: readonly Command[], keys: readonly string[], options: SendOptions): Promise<Texts>;
  /** Whether a text was read under a key when there had been so many reads. */
  wasThere(key: string, text: string | undefined, order: number): boolean;
}

/** So many markers are remembered. */
export const maxRemembered = 20_000;

export function createMarkerReads({ send, read }: MarkerTrips, place: OutagePlace): MarkerReads {
  const seen = createLru<{ readonly text: string; readonly order: number }>({ maxEntries: maxRemembered });
  let seenChanges = place.changes;
  let order = 0;

  const note = (keys: readonly string[], replies: readonly Reply[]): Texts => {
    const texts = new Map<string, string | undefined>();
    if (seenChanges !== place.changes) for (const [key] of [...seen]) seen.delete(key);
    seenChanges = place.changes;
    order++;
    for (const [at, key] of keys.entries()) {
      const reply = replies[at];
      // Another type, or bytes: it is no marker.
      const text = typeof reply === "string" ? reply : undefined;
      texts.set(key, text);
      if (text !== undefined && seen.get(key)?.text !== text) seen.set(key, { text, order });
    }
    return texts;
  };

  return {
    get order() {
      return order;
    },
    async read(keys, options) {
      return note(keys, await read(keys, options));
    },
    async readAfter(commands, keys, options) {
      const replies = await send([...commands, ["MGET", ...keys]], options);
      for (const reply of replies.slice(0, -1)) unwrap(reply);
      const found = replies.at(-1);
      if (!isCrossSlot(found)) return note(keys, unwrap(found) as readonly Reply[]);
      // A Redis Cluster reads each by itself, one after the other: what is compared with the others comes last.
      const each: Reply[] = [];
      for (const key of keys) each.push(...(await send([["GET", key]], options)));
      return note(keys, each);
    },
    wasThere(key, text, before) {
      const known = seen.peek(key);
      return text !== undefined && known?.text === text && known.order <= before;
    },
  };
}

/** Whether a Redis Cluster has refused keys of different slots in one command. */
export const isCrossSlot = (reply: Reply | undefined): boolean =>
  typeof reply === "object" && reply !== null && isCommandError(reply) && reply.code === "CROSSSLOT";
