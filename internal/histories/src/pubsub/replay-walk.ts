import type { Life } from "./history.ts";
import { type GapRecord, nameOf, type Place } from "./record.ts";
import type { Violation } from "./violation.ts";

/** What a subscriber of a history was told of the places that it was not handed. */
export interface Walk {
  readonly violations: readonly Violation[];
  /** Places that were counted as missing. */
  readonly counted: readonly Stretch[];
  /** Gaps without a count, and where they stand. */
  readonly uncounted: readonly { readonly gap: GapRecord; readonly index: number }[];
}

/** Places of one epoch, both ends included. */
export interface Stretch {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Goes along what a handler was told. Places rise by one within an epoch, and an epoch begins at 0; what is left out
 * in between is what the gaps have counted since the last message, exactly. Only behind a gap without a count may
 * anything come.
 */
export function walk({ open, items }: Life): Walk {
  const { subscriber } = open;
  const violations: Violation[] = [];
  const counted: Stretch[] = [];
  const uncounted: { gap: GapRecord; index: number }[] = [];
  let cursor = typeof open.after === "object" ? open.after : undefined;
  let pending = 0;
  let isCertain = cursor !== undefined;

  for (const [index, item] of items.entries()) {
    if (item.kind === "gap") {
      if (item.missed === undefined) {
        uncounted.push({ gap: item, index });
        isCertain = false;
        pending = 0;
      } else pending += item.missed;
      continue;
    }
    const place = item.position;
    if (!place) continue;
    const told = { subscriber, channel: item.channel, message: nameOf(item) };
    const where = `${place.epoch}-${place.seq} behind ${cursor ? `${cursor.epoch}-${cursor.seq}` : "the beginning"}`;
    if (cursor && isCertain) {
      const isSameEpoch = place.epoch === cursor.epoch;
      const skipped = isSameEpoch ? place.seq - cursor.seq - 1 : place.seq;
      // The end of an epoch may have been counted together with the beginning of the next.
      const isCounted = skipped === pending || (!isSameEpoch && pending > skipped);
      if (isSameEpoch ? skipped < 0 : place.epoch < cursor.epoch) {
        violations.push({ kind: "reordered", ...told, detail: where });
      } else if (skipped > pending) {
        violations.push({ kind: "lost", ...told, detail: `${where}: ${skipped - pending} are left out in silence` });
      } else if (!isCounted) {
        violations.push({ kind: "wrong-count", ...told, detail: `${where}: ${pending} counted, ${skipped} left out` });
      }
    }
    if (pending > 0) counted.push(...stretches(cursor, place, pending));
    cursor = place;
    pending = 0;
    isCertain = true;
  }
  return { violations, counted, uncounted };
}

/** So many places right before a place; what is more than its epoch has room for was the end of the one before. */
function stretches(cursor: Place | undefined, { epoch, seq }: Place, count: number): Stretch[] {
  const last = { epoch, from: Math.max(0, seq - count), to: seq - 1 };
  if (!cursor || cursor.epoch === epoch || count <= seq) return [last];
  return [{ epoch: cursor.epoch, from: cursor.seq + 1, to: cursor.seq + count - seq }, last];
}
