import { type Codec, CodecError, isCodecError, isCommandError, type Reply } from "@continuum-cache/core";
import { fromMessageText } from "@continuum-cache/core/kit";

/** The id of an entry: its time, then its number. Both grow together within an origin. */
export interface StreamId {
  readonly atMs: number;
  readonly seq: number;
}

/** Before all events. */
export const noId: StreamId = { atMs: 0, seq: 0 };

export const writeId = ({ atMs, seq }: StreamId): string => `${atMs}-${seq}`;

/** `undefined` when it is not the id of an entry of a log. */
export function parseId(text: unknown): StreamId | undefined {
  const found = typeof text === "string" ? /^(\d{1,16})-(\d{1,16})$/.exec(text) : null;
  if (!found) return undefined;
  const [atMs, seq] = [Number(found[1]), Number(found[2])];
  return Number.isSafeInteger(atMs) && Number.isSafeInteger(seq) ? { atMs, seq } : undefined;
}

export const isAfter = (one: StreamId, other: StreamId): boolean =>
  one.atMs > other.atMs || (one.atMs === other.atMs && one.seq > other.seq);

export const isSameId = (one: StreamId, other: StreamId): boolean => one.atMs === other.atMs && one.seq === other.seq;

/** The one field of an entry: an event as a line of text (`toMessageText` of what the codec wrote). */
export const eventField = "e";

/** An entry of a stream as Redis answers it; one that was deleted has no fields. */
export type StreamEntry = readonly [id: string, fields: readonly unknown[] | null];

/** The event's text, or `undefined` where there is none. */
export function eventText([, fields]: StreamEntry): string | Uint8Array | undefined {
  for (let at = 0; fields && at + 1 < fields.length; at += 2) {
    const value = fields[at + 1];
    if (fields[at] === eventField) return typeof value === "string" || value instanceof Uint8Array ? value : undefined;
  }
  return undefined;
}

/** What XINFO STREAM tells of a stream. */
export interface StreamInfo {
  readonly length: number;
  /** The id that was given last; it outlives the entry. One that no log writes counts as an entry without a number. */
  readonly last: StreamId;
  /** The same as Redis writes it. */
  readonly lastId: string;
  /** The ids of the first and the last entry that are there. */
  readonly firstEntry: StreamId | undefined;
  readonly lastEntry: StreamId | undefined;
  /** The id of the last entry that is there as Redis writes it, also when no log writes such. */
  readonly lastEntryId: string | undefined;
}

const none: StreamInfo = {
  length: 0,
  last: noId,
  lastId: writeId(noId),
  firstEntry: undefined,
  lastEntry: undefined,
  lastEntryId: undefined,
};
/** Behind all that a log writes: somebody else has put an entry of a huge id there. */
const beyondAll: StreamId = { atMs: Number.MAX_SAFE_INTEGER, seq: 0 };

/** @throws CommandError unless it only says that there is no such stream. */
export function readStreamInfo(reply: Reply | undefined): StreamInfo {
  if (isCommandError(reply)) {
    if (isMissing(reply)) return none;
    throw reply;
  }
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
  const lastId = String(at("last-generated-id") ?? none.lastId);
  return {
    length: Number(at("length") ?? 0),
    last: parseId(lastId) ?? beyondAll,
    lastId,
    firstEntry: parseId(entryId("first-entry")),
    lastEntry: parseId(lastEntryId),
    lastEntryId,
  };
}

/** For the memory's face of a script: the last id of a stream, "0-0" where there is none. */
export function lastOf(xinfo: () => Reply): string {
  try {
    return readStreamInfo(xinfo()).lastId;
  } catch (error) {
    if (isMissing(error)) return writeId(noId);
    throw error;
  }
}

const isMissing = (error: unknown): boolean => isCommandError(error) && error.message.includes("no such key");

/** @throws CodecError when it can't be read. */
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
