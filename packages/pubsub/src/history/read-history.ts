import { type CallOptions, isCommandError, isTransportError, type Reply, type Transport } from "@continuum-cache/core";
import { primaryOf, runScript } from "@continuum-cache/core/kit";
import type { ReplaySettings } from "../settings.ts";
import type { Position } from "../types.ts";
import { beginScript } from "./begin-script.ts";
import { type Entry, historyKey, readEntries, type StoredEntries } from "./entry.ts";

/** A part of the history that the server has of a channel, from a position on. */
export interface HistoryPage {
  /**
   * The position of the newest message; with the number -1 where there is none yet. Absent only where there is no
   * history, and this user may not begin one.
   */
  readonly newest: { readonly position: Position } | undefined;
  /** Messages at and behind the position, the oldest first, without those that are past their age. */
  readonly entries: readonly Entry[];
  /** The last position that was read, if the server may have more behind it. */
  readonly more: Position | undefined;
}

/** Reads histories of the primary. */
export interface HistoryReader {
  /** The position behind which the next message will be: see `HistoryPage`. */
  newest(channel: string, options: CallOptions): Promise<Position | undefined>;
  /** @param from - Begins with this position; absent: with the oldest message. */
  page(channel: string, from: Position | undefined, options: CallOptions): Promise<HistoryPage>;
  /** Renews the time to live of a history with subscribers: its end would look like a loss. */
  keep(channel: string, options: CallOptions): Promise<void>;
}

export interface HistoryReaderParts {
  readonly transport: Transport;
  readonly replay: Pick<ReplaySettings, "ageMs" | "keyTtlMs">;
  /** Called for each entry that this package did not write. The entry is skipped. */
  readonly onForeign: (id: string) => void;
}

/** The most messages of one page, in one round trip. */
const pageSize = 64;
/** Messages past their age may stay until the next upkeep. */
const ageSlack = 9 / 8;
/** So many of the latest entries are searched for one that is a message. */
const latestLooked = 100;

export function createHistoryReader({ transport, replay, onForeign }: HistoryReaderParts): HistoryReader {
  const { ageMs, keyTtlMs } = replay;
  const keptMs = ageMs * ageSlack;
  const primary = primaryOf(transport);

  const read = (reply: Reply | undefined): StoredEntries => {
    const stored = readEntries(reply);
    for (const id of stored.foreign) onForeign(id);
    return stored;
  };

  /**
   * Begins the history where there is none.
   *
   * @returns its last entry: its beginning, or a message that has come meanwhile; nothing where this user may only
   *   read.
   */
  const begin = async (channel: string, from: Position | undefined, options: CallOptions): Promise<StoredEntries> => {
    const args = [keyTtlMs, Math.ceil(keptMs)];
    try {
      return read([await runScript(primary, beginScript, [historyKey(channel)], args, options)]);
    } catch (error) {
      // A replica may become a primary. Only a user that may not write goes on without a history.
      if (isForbidden(error) || (isReplica(error) && !from)) return read([]);
      throw error;
    }
  };

  const readPage = async (channel: string, from: Position | undefined, count: number, options: CallOptions) => {
    const key = historyKey(channel);
    const own: Entry[] = [];
    for (let start = from ? `${from.epoch}-${Math.max(0, from.seq)}` : "-"; ; ) {
      const [time, last, range] = await primary.send(
        [["TIME"], ["XREVRANGE", key, "+", "-", "COUNT", 1], ["XRANGE", key, start, "+", "COUNT", count]],
        options,
      );
      if (isCommandError(time)) throw time;
      const oldestMs = Number((time as readonly string[])[0]) * 1_000 - keptMs;
      const [newest, { entries, length, lastId }] = [read(last), read(range)];
      own.push(...entries);
      const end = own.at(-1)?.position;
      const isMore = length >= count && lastId !== undefined;
      const hasMoved = end !== undefined && !(from && end.epoch === from.epoch && end.seq === from.seq);
      // A page of foreign entries alone makes no progress: the entries behind it belong to this page.
      if (isMore && !hasMoved) {
        start = `(${lastId}`;
        continue;
      }
      const position = newest.entries[0]?.position ?? newest.beginning ?? end;
      return {
        newest: position && { position },
        entries: own.filter(({ publishedAtMs }) => publishedAtMs >= oldestMs),
        more: isMore ? end : undefined,
      };
    }
  };

  return {
    async newest(channel, options) {
      for (const count of [1, latestLooked]) {
        const latest = ["XREVRANGE", historyKey(channel), "+", "-", "COUNT", count] as const;
        const [reply] = await primary.send([latest], options);
        const { entries, beginning, length } = read(reply);
        const position = entries[0]?.position ?? beginning;
        if (position) return position;
        if (length === 0) break;
      }
      const { entries, beginning } = await begin(channel, undefined, options);
      return entries[0]?.position ?? beginning;
    },
    async page(channel, from, options) {
      for (let count = pageSize; ; ) {
        try {
          const page = await readPage(channel, from, count, options);
          if (page.newest) return page;
          const { beginning, entries } = await begin(channel, from, options);
          if (entries.length === 0) return { ...page, newest: beginning && { position: beginning } };
        } catch (error) {
          // The messages are large: fewer of them fit into one reply.
          if (count === 1 || !isTooLarge(error)) throw error;
          count = Math.ceil(count / 8);
        }
      }
    },
    async keep(channel, options) {
      await begin(channel, undefined, options);
    },
  };
}

const isTooLarge = (error: unknown): boolean =>
  isTransportError(error)
    ? error.kind === "too-large"
    : isCommandError(error) && /max request size/i.test(error.message);

/** Redis words it the second way for a command inside a script. */
const isForbidden = (error: unknown): boolean =>
  isCommandError(error) && (error.code === "NOPERM" || /can't run this command/i.test(error.message));

const isReplica = (error: unknown): boolean => isCommandError(error) && error.code === "READONLY";
