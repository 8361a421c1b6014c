import { isAfter, isSameId, type StreamId, type StreamInfo } from "./stream.ts";
import type { LogGap } from "./types.ts";

/** Where a reader stands in one origin's stream. */
export interface Position {
  readonly origin: string;
  readonly key: string;
  /** The last event that was delivered or skipped. */
  id: StreamId;
  /** The id, as Redis writes it, of a foreign entry behind that event: the next read begins behind it. */
  foreignId?: string;
  /** Where the stream ended at the last check, when that was before this position. */
  aheadOf?: StreamId;
}

/** The gap between a reader that stands here and the entry that it has found, if there is one. */
export function gapBefore({ origin, id }: Position, entry: StreamId): LogGap | undefined {
  if (entry.seq === id.seq + 1) return undefined;
  const toSeq = entry.seq - 1;
  // Redis placed it behind this position, but its number is not greater: the numbers have begun anew.
  if (entry.seq <= id.seq) return { origin, missed: 0, fromSeq: entry.seq, toSeq, reason: "reset" };
  return { origin, missed: toSeq - id.seq, fromSeq: id.seq + 1, toSeq, reason: "retention" };
}

/**
 * The gap at the end of a stream that had nothing to read. A stream that ends before the position may still be repaired
 * by its origin, so this reports a loss only when the stream looks the same a second time.
 */
export function gapAtEnd(
  position: Position,
  { last, lastEntry }: Pick<StreamInfo, "last" | "lastEntry">,
): LogGap | undefined {
  const { origin, id, aheadOf } = position;
  delete position.aheadOf;
  // A log does not write entries without a number.
  if (isSameId(last, id) || (last.seq === 0 && last.atMs > 0)) return undefined;
  if (isAfter(last, id) && last.seq > id.seq) {
    // The next read returns the entries that exist, and finds the gap before them.
    if (lastEntry && isAfter(lastEntry, id)) return undefined;
    return { origin, missed: last.seq - id.seq, fromSeq: id.seq + 1, toSeq: last.seq, reason: "retention" };
  }
  if (aheadOf && isSameId(aheadOf, last)) {
    return { origin, missed: 0, fromSeq: last.seq + 1, toSeq: last.seq, reason: "reset" };
  }
  position.aheadOf = last;
  return undefined;
}

/** Where a reader begins with an origin that is new to it. */
export function startOf({ last, firstEntry }: StreamInfo, from: "beginning" | "now"): StreamId {
  if (from === "now" || !firstEntry) return last;
  return { atMs: firstEntry.atMs, seq: firstEntry.seq - 1 };
}
