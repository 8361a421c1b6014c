import { isCommandError, type Reply } from "@continuum-cache/core";
import type { Position } from "../types.ts";

/** One stored message. */
export interface Entry {
  readonly position: Required<Position>;
  /** When it was published, by the server's clock as its publisher knew it, in milliseconds since 1970. */
  readonly publishedAtMs: number;
  readonly text: string | Uint8Array;
}

/** A reply of XRANGE or XREVRANGE about a history. */
export interface StoredEntries {
  /** The messages, in the order of the reply. */
  readonly entries: readonly Entry[];
  /** The position before the first message, if the entry that begins the history is in the reply. */
  readonly beginning: Position | undefined;
  /** The ids of entries that this package did not write, as far as they can be printed. */
  readonly foreign: readonly string[];
  /** How many entries there were, and the id of the last one. */
  readonly length: number;
  readonly lastId: string | undefined;
}

/** @throws CommandError when the reply is one. */
export function readEntries(reply: Reply | undefined): StoredEntries {
  if (isCommandError(reply)) throw reply;
  const rows: readonly Reply[] = Array.isArray(reply) ? reply : [];
  const entries: Entry[] = [];
  const foreign: string[] = [];
  let beginning: Position | undefined;
  let lastId: string | undefined;
  for (const row of rows) {
    const [id, fields] = (Array.isArray(row) ? row : []) as readonly Reply[];
    lastId = typeof id === "string" ? id : undefined;
    const place = readPlace(lastId);
    const entry = place && readMessage(place, fields);
    if (entry) entries.push(entry);
    else if (place && isBeginning(fields)) beginning = { epoch: place.epoch + 1, seq: -1 };
    else foreign.push(String(id).slice(0, 50));
  }
  return { entries, beginning, foreign, length: rows.length, lastId };
}

/** An id may have 20 digits. Numbers that are not exact are no position. */
function readPlace(id: string | undefined): Position | undefined {
  const [epoch, seq] = (id ?? "").split("-").map(Number);
  return Number.isSafeInteger(epoch) && Number.isSafeInteger(seq)
    ? { epoch: epoch as number, seq: seq as number }
    : undefined;
}

function readMessage(place: Position, fields: Reply | undefined): Entry | undefined {
  const field = (name: string): Reply | undefined => {
    const words: readonly Reply[] = Array.isArray(fields) ? fields : [];
    const at = words.findIndex((word, index) => index % 2 === 0 && word === name);
    return at < 0 ? undefined : words[at + 1];
  };
  const [tag, time, text] = [field("n"), field("t"), field("d")];
  const isText = typeof text === "string" || text instanceof Uint8Array;
  if (typeof tag !== "string" || typeof time !== "string" || !isText || !Number.isFinite(Number(time)))
    return undefined;
  return { position: { ...place, tag }, publishedAtMs: Number(time), text };
}

/** See `beginScript`. */
const isBeginning = (fields: Reply | undefined): boolean =>
  Array.isArray(fields) && fields.length === 2 && fields[0] === "b";

/**
 * The key of a channel's history. Like the channel's name, it has no cache's prefix: all subscribers of the channel use
 * the same history.
 */
export function historyKey(wireChannel: string): string {
  return `continuum-cache:history:${wireChannel}`;
}
