import { isAfter, isSameId, type StreamId, type StreamInfo } from "./stream.ts";
import type { LogGap } from "./types.ts";

/** Where a reader stands in one origin's stream. */
export interface Position {
  readonly origin: string;
  readonly key: string;
  /** The last event that was given, or passed over. */
  id: StreamId;
  /** The id of an entry behind it that no log has written, as Redis writes it: what comes next is behind that. */
  foreignId?: string;
  /** The stream ended before this position when it was last looked at: what it ended with. */
  aheadOf?: StreamId;
}

/** What an entry means to a reader that stands here: whether something is missing before it. */
export function gapBefore({ origin, id }: Position, entry: StreamId): LogGap | undefined {
  if (entry.seq === id.seq + 1) return undefined;
  const toSeq = entry.seq - 1;
  // It came after this position, yet its number is not greater: the numbers have begun anew.
  if (entry.seq <= id.seq) return { origin, missed: 0, fromSeq: entry.seq, toSeq, reason: "reset" };
  return { origin, missed: toSeq - id.seq, fromSeq: id.seq + 1, toSeq, reason: "retention" };
}

/**
 * What the end of a stream means to a reader that was given nothing. A stream that ends before the position may be repaired
 * by its origin, so it is a loss only when it looks the same a second time.
 */
export function gapAtEnd(
  position: Position,
  { last, lastEntry }: Pick<StreamInfo, "last" | "lastEntry">,
): LogGap | undefined {
  const { origin, id, aheadOf } = position;
  delete position.aheadOf;
  // An entry without a number is none of a log's.
  if (isSameId(last, id) || (last.seq === 0 && last.atMs > 0)) return undefined;
  if (isAfter(last, id) && last.seq > id.seq) {
    // What is there will be read, and tells by itself what is missing before it.
    if (lastEntry && isAfter(lastEntry, id)) return undefined;
    return { origin, missed: last.seq - id.seq, fromSeq: id.seq + 1, toSeq: last.seq, reason: "retention" };
  }
  if (aheadOf && isSameId(aheadOf, last)) {
    return { origin, missed: 0, fromSeq: last.seq + 1, toSeq: last.seq, reason: "reset" };
  }
  position.aheadOf = last;
  return undefined;
}

/** Where a reader begins that has never seen this origin. */
export function startOf({ last, firstEntry }: StreamInfo, from: "beginning" | "now"): StreamId {
  if (from === "now" || !firstEntry) return last;
  return { atMs: firstEntry.atMs, seq: firstEntry.seq - 1 };
}
