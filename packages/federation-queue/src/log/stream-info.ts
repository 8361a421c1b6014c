import { isCommandError, type Reply } from "@continuum-cache/core";
import { noId, parseId, type StreamId, writeId } from "./stream-id.ts";

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
