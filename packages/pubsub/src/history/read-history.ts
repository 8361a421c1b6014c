import { type CallOptions, isCommandError, isTransportError, type Transport } from "@continuum-cache/core";
import type { Position } from "../position.ts";
import { type Entry, readEntries } from "./entry.ts";
import { historyKey } from "./history-key.ts";

/** What the server has of a channel, from a place on. */
export interface HistoryPage {
  /** The newest message; absent where there is no history. */
  readonly newest: Entry | undefined;
  /** Those at and behind the place, the oldest first; without those that are past their age. */
  readonly entries: readonly Entry[];
  /** The last place that was looked at, when the server may have more behind it. */
  readonly more: Position | undefined;
}

/** Reads histories, always the primary's. */
export interface HistoryReader {
  newest(channel: string, options: CallOptions): Promise<Entry | undefined>;
  /** @param from - Where to begin, this place included; absent: with the oldest. */
  page(channel: string, from: Position | undefined, options: CallOptions): Promise<HistoryPage>;
}

/** How many messages are asked for at once, in one trip. */
const pageSize = 64;
/** What is past its age may stay until the next upkeep. */
const ageSlack = 9 / 8;

export function createHistoryReader(transport: Transport, ageMs: number): HistoryReader {
  const primary = (options: CallOptions) => ({ ...options, fallback: false });
  return {
    async newest(channel, options) {
      const newest = ["XREVRANGE", historyKey(channel), "+", "-", "COUNT", 1] as const;
      const [reply] = await transport.send([newest], primary(options));
      return readEntries(reply)[0];
    },
    async page(channel, from, options) {
      const key = historyKey(channel);
      const start = from ? `${from.epoch}-${from.seq}` : "-";
      for (let count = pageSize; ; count = Math.ceil(count / 8)) {
        try {
          const [time, last, range] = await transport.send(
            [["TIME"], ["XREVRANGE", key, "+", "-", "COUNT", 1], ["XRANGE", key, start, "+", "COUNT", count]],
            primary(options),
          );
          if (isCommandError(time)) throw time;
          const oldestMs = Number((time as readonly string[])[0]) * 1_000 - ageMs * ageSlack;
          const all = readEntries(range);
          return {
            newest: readEntries(last)[0],
            entries: all.filter(({ publishedAtMs }) => publishedAtMs >= oldestMs),
            more: all.length >= count ? all.at(-1)?.position : undefined,
          };
        } catch (error) {
          // Large messages, of which fewer go into one answer.
          if (count === 1 || !isTooLarge(error)) throw error;
        }
      }
    },
  };
}

const isTooLarge = (error: unknown): boolean =>
  isTransportError(error)
    ? error.kind === "too-large"
    : isCommandError(error) && /max request size/i.test(error.message);
