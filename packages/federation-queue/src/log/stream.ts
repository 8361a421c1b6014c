import {
  type Codec,
  CodecError,
  type Command,
  isCodecError,
  isCommandError,
  isTransportError,
  type Reply,
} from "@continuum-cache/core";
import { fromMessageText, unwrap } from "@continuum-cache/core/kit";
import type { PrimaryCallOptions, PrimaryClient } from "../shared/primary-client.ts";

/** The id of an entry: its time, then its number. Both grow together within an origin. */
export interface StreamId {
  readonly atMs: number;
  readonly seq: number;
}

/** Before all events. */
export const noId: StreamId = { atMs: 0, seq: 0 };

export const writeId = ({ atMs, seq }: StreamId): string => `${atMs}-${seq}`;

/** `undefined` when a log does not write such ids. */
export function parseId(text: unknown): StreamId | undefined {
  const found = typeof text === "string" ? /^(\d{1,16})-(\d{1,16})$/.exec(text) : null;
  if (!found) return undefined;
  const [atMs, seq] = [Number(found[1]), Number(found[2])];
  return Number.isSafeInteger(atMs) && Number.isSafeInteger(seq) ? { atMs, seq } : undefined;
}

export const isAfter = (one: StreamId, other: StreamId): boolean =>
  one.atMs > other.atMs || (one.atMs === other.atMs && one.seq > other.seq);

export const isSameId = (one: StreamId, other: StreamId): boolean => one.atMs === other.atMs && one.seq === other.seq;

/** The one with the greater number; the first of two equals. */
export const laterOf = (one: StreamId, other: StreamId): StreamId => (other.seq > one.seq ? other : one);

/** The one field of an entry: an event as a line of text (`toMessageText` of what the codec wrote). */
export const eventField = "e";

/** An entry of a stream as Redis replies it; a deleted one has no fields. */
export type StreamEntry = readonly [id: string, fields: readonly unknown[] | null];

/** The event's text, or `undefined` when the entry has none. */
export function eventText([, fields]: StreamEntry): string | Uint8Array | undefined {
  for (let at = 0; fields && at + 1 < fields.length; at += 2) {
    const value = fields[at + 1];
    if (fields[at] === eventField) return typeof value === "string" || value instanceof Uint8Array ? value : undefined;
  }
  return undefined;
}

/** @throws CodecError when the entry has no event, or the codec cannot read it. */
export function decodeEvent(codec: Codec, entry: StreamEntry): unknown {
  const text = eventText(entry);
  if (text === undefined) throw new CodecError(codec.name, "The entry has no event");
  try {
    return codec.decode(fromMessageText(text));
  } catch (error) {
    if (isCodecError(error)) throw error;
    throw new CodecError(codec.name, "The codec could not read the event");
  }
}

/** What XINFO STREAM says of a stream. */
export interface StreamInfo {
  readonly length: number;
  /**
   * The id that was given last; it outlives the entry. An id that a log does not write counts as one without a number.
   */
  readonly last: StreamId;
  /** The same as Redis writes it. */
  readonly lastId: string;
  /** The ids of the first and the last entry that exist. */
  readonly firstEntry: StreamId | undefined;
  readonly lastEntry: StreamId | undefined;
  /** The id of the last entry that exists as Redis writes it, also when a log does not write such ids. */
  readonly lastEntryId: string | undefined;
}

/** Behind all that a log writes: another program has added an entry with a huge id. */
const beyondAll: StreamId = { atMs: Number.MAX_SAFE_INTEGER, seq: 0 };

/** @throws CommandError, except for the one that says that the stream does not exist. */
export function readStreamInfo(reply: Reply | undefined): StreamInfo {
  if (isCommandError(reply) && !isMissing(reply)) throw reply;
  const words = (Array.isArray(reply) ? reply : []) as readonly Reply[];
  const at = (name: string): Reply | undefined => {
    const index = words.indexOf(name);
    return index < 0 ? undefined : words[index + 1];
  };
  const entryId = (name: string): string | undefined => {
    const entry = at(name);
    return Array.isArray(entry) ? String(entry[0]) : undefined;
  };
  const lastEntryId = entryId("last-entry");
  const lastId = String(at("last-generated-id") ?? writeId(noId));
  return {
    length: Number(at("length") ?? 0),
    last: parseId(lastId) ?? beyondAll,
    lastId,
    firstEntry: parseId(entryId("first-entry")),
    lastEntry: parseId(lastEntryId),
    lastEntryId,
  };
}

/** For the TypeScript face of a script: the last id of a stream, "0-0" when the stream does not exist. */
export function lastIdOf(xinfo: () => Reply): string {
  try {
    return readStreamInfo(xinfo()).lastId;
  } catch (error) {
    if (isMissing(error)) return writeId(noId);
    throw error;
  }
}

const isMissing = (error: unknown): boolean => isCommandError(error) && error.message.includes("no such key");

/** What streams have behind given ids. */
export interface StreamPage {
  readonly rows: readonly (readonly [key: string, entries: readonly StreamEntry[]])[];
  /** Whether there may be more. */
  readonly isFull: boolean;
}

/** Reads many streams with one command, with fewer entries of each after a reply that was too large. */
export interface StreamReader {
  read(
    from: readonly { readonly key: string; readonly id: string }[],
    options?: PrimaryCallOptions,
  ): Promise<StreamPage>;
  /** Reads as many entries as at first again. */
  reset(): void;
}

/** @param batch - How many entries of each stream to read at once. */
export function createStreamReader(link: PrimaryClient, batch: number): StreamReader {
  let count = batch;
  return {
    async read(from, options) {
      const streams = [...from.map(({ key }) => key), ...from.map(({ id }) => id)];
      try {
        const [reply] = await link.send([["XREAD", "COUNT", count, "STREAMS", ...streams] as Command], options);
        const rows = (unwrap(reply) ?? []) as StreamPage["rows"];
        return { rows, isFull: rows.some(([, entries]) => entries.length >= count) };
      } catch (error) {
        if (!isTransportError(error) || error.kind !== "too-large" || count === 1) throw error;
        count = Math.ceil(count / 4);
        return { rows: [], isFull: true };
      }
    },
    reset() {
      count = batch;
    },
  };
}
