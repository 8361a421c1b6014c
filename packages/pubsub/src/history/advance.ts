import type { Position } from "../types.ts";
import type { Entry } from "./entry.ts";
import type { HistoryPage } from "./read-history.ts";

/** What a page of history means to whoever has read up to a place. */
export interface Advance {
  /** What is to be told, in order. */
  readonly steps: readonly Step[];
  /** The place that is reached, with what is known of it; absent before the first message there ever was. */
  readonly cursor: Position | undefined;
  /** The page shows another past than the one that was read: its end was lost, and written anew. */
  readonly isDiverged: boolean;
}

/** A message, or that some are missing before the next. */
export type Step =
  | { readonly kind: "entry"; readonly entry: Entry }
  | { readonly kind: "trimmed"; readonly missed: number }
  | { readonly kind: "lost" }
  /** Nothing had been read when the history was lost: there may have been messages that are gone. */
  | { readonly kind: "interrupted" };

/**
 * Reads a page from the cursor on, the cursor's own message included, as proof that it is the same history. Numbers are
 * dense within an epoch, so whatever is not there any more is counted.
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
    // An epoch that has no successor of its own was cut off somewhere: nobody knows where it ended.
    if (at && place.epoch !== at.epoch) steps.push(lossBehind(at));
    const missed = at?.epoch === place.epoch ? place.seq - at.seq - 1 : place.seq;
    if (missed > 0) steps.push({ kind: "trimmed", missed });
    at = place;
  };
  for (const entry of isOwn ? entries.slice(1) : entries) {
    goTo(entry.position);
    steps.push({ kind: "entry", entry });
  }
  // What is past its age is not there any more either.
  const last = more ?? newest.position;
  if (!at || isBehind(last, at)) {
    goTo({ ...last, seq: last.seq + 1 });
    at = last;
  }
  return { steps, cursor: at, isDiverged: false };
}

/** @param cursor - What was read; -1 stands for the history's beginning, so that nothing was. */
const lossBehind = ({ seq }: Position): Step => ({ kind: seq < 0 ? "interrupted" : "lost" });

export const isSamePlace = (one: Position, other: Position): boolean =>
  one.epoch === other.epoch && one.seq === other.seq;

/** Whether a place comes after another. */
export const isBehind = (one: Position, other: Position): boolean =>
  one.epoch === other.epoch ? one.seq > other.seq : one.epoch > other.epoch;

/** @param own - What stands at the cursor's place. */
function isDivergence(cursor: Position, newest: Position, own: Required<Position> | undefined): boolean {
  if (newest.epoch !== cursor.epoch) return newest.epoch < cursor.epoch;
  if (newest.seq < cursor.seq) return true;
  return own !== undefined && cursor.tag !== undefined && cursor.tag !== own.tag;
}
