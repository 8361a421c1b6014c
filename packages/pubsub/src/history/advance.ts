import type { Position } from "../types.ts";
import type { Entry } from "./entry.ts";
import type { HistoryPage } from "./read-history.ts";

/** What a page of history means to a subscriber that has read up to a position. */
export interface Advance {
  /** Messages and gaps to deliver, in order. */
  readonly steps: readonly Step[];
  /** The position that is reached; absent where the channel never had a message. */
  readonly cursor: Position | undefined;
  /** The page has another past than the one that was read: the end of the history was lost, and written again. */
  readonly isDiverged: boolean;
}

/** A message, or a gap before the next one. */
export type Step =
  | { readonly kind: "entry"; readonly entry: Entry }
  | { readonly kind: "trimmed"; readonly missed: number }
  | { readonly kind: "lost" }
  /** The history was lost before anything was read: there may have been messages in it. */
  | { readonly kind: "interrupted" };

/**
 * Interprets a page that begins at the cursor. The cursor's own message is included, as proof that it is the same
 * history. Numbers are dense within an epoch, so messages that are gone can be counted.
 */
export function advance(cursor: Position | undefined, { newest, entries, more }: HistoryPage): Advance {
  if (!newest) return { steps: cursor ? [lossBehind(cursor)] : [], cursor: undefined, isDiverged: false };
  const [head] = entries;
  const isOwn = cursor !== undefined && head !== undefined && isSamePlace(head.position, cursor);
  if (cursor && isDivergence(cursor, newest.position, isOwn ? head.position : undefined)) {
    return { steps: [lossBehind(cursor)], cursor, isDiverged: true };
  }
  const steps: Step[] = [];
  let at = cursor;
  const goTo = (place: Position): void => {
    // An epoch that does not go on here was cut off somewhere: where it ended is unknown.
    if (at && place.epoch !== at.epoch) steps.push(lossBehind(at));
    const missed = at?.epoch === place.epoch ? place.seq - at.seq - 1 : place.seq;
    if (missed > 0) steps.push({ kind: "trimmed", missed });
    at = place;
  };
  for (const entry of isOwn ? entries.slice(1) : entries) {
    goTo(entry.position);
    steps.push({ kind: "entry", entry });
  }
  // Messages past their age count as gone.
  const last = more ?? newest.position;
  if (!at || isBehind(last, at)) {
    goTo({ ...last, seq: last.seq + 1 });
    at = last;
  }
  return { steps, cursor: at, isDiverged: false };
}

/** @param cursor - The last message that was read; with the number -1, none was. */
const lossBehind = ({ seq }: Position): Step => ({ kind: seq < 0 ? "interrupted" : "lost" });

export const isSamePlace = (one: Position, other: Position): boolean =>
  one.epoch === other.epoch && one.seq === other.seq;

/** Whether a position comes after another. */
export const isBehind = (one: Position, other: Position): boolean =>
  one.epoch === other.epoch ? one.seq > other.seq : one.epoch > other.epoch;

/** @param own - The entry at the cursor. */
function isDivergence(cursor: Position, newest: Position, own: Required<Position> | undefined): boolean {
  if (newest.epoch !== cursor.epoch) return newest.epoch < cursor.epoch;
  if (newest.seq < cursor.seq) return true;
  return own !== undefined && cursor.tag !== undefined && cursor.tag !== own.tag;
}
