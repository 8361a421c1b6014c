import { advance, isBehind, isSamePlace, type Step } from "../history/advance.ts";
import type { Entry } from "../history/entry.ts";
import type { HistoryPage } from "../history/read-history.ts";
import type { RecentMessage } from "../history/recent-messages.ts";
import type { Position } from "../types.ts";

/** A subscriber that begins in the past: what it needs of its source, and what the source hands to it. */
export interface LateSubscriber {
  isOver(): boolean;
  isFollowing(): boolean;
  /** Resolves when the source follows what is published. */
  following(): Promise<void>;
  sourceCursor(): Position | undefined;
  /** The messages that the source has delivered behind a position, if it still has all of them. */
  recentAfter(place: Position): readonly RecentMessage[] | undefined;
  page(from: Position | undefined): Promise<HistoryPage>;
  pause(ms: number): Promise<unknown>;
  onError(error: unknown): void;
  entry(entry: Entry): void;
  recent(message: RecentMessage): void;
  gap(step: Exclude<Step, { kind: "entry" }>): void;
  /** Makes it a follower: from now on it gets what the source delivers. */
  join(): void;
}

/**
 * Hands a late subscriber the stored messages behind its position, until it has all that the source's followers have.
 * It joins them in the same turn, so no message is left out or comes twice.
 */
export async function catchUp(after: Position | "beginning", late: LateSubscriber): Promise<void> {
  const fromBeginning = after === "beginning";
  /**
   * A subscriber that reads from the beginning missed only those of the trimmed messages that came after this position.
   */
  const begin = late.isFollowing() ? { at: late.sourceCursor() } : undefined;
  let cursor = fromBeginning ? beginningAt(begin?.at) : after;
  let isFirst = true;
  let wasAway = false;
  for (let attempt = 0; !late.isOver(); ) {
    wasAway ||= begin !== undefined && !late.isFollowing();
    await late.following();
    if (late.isOver()) return;
    const messages = cursor && late.recentAfter(cursor);
    if (messages) for (const message of messages) late.recent(message);
    const end = late.sourceCursor();
    if (messages || isAt(cursor, end)) return late.join();
    let page: HistoryPage;
    try {
      page = await late.page(cursor);
    } catch (error) {
      late.onError(error);
      await late.pause(Math.random() * Math.min(1_000, 50 * 2 ** attempt++));
      continue;
    }
    if (late.isOver()) return;
    const step = advance(cursor, page);
    if (!cursor && isAnother(page, begin?.at)) {
      // The stored messages are gone before they could be read. The source has heard those since, unless it was away.
      if (begin?.at && !wasAway) {
        cursor = begin.at;
        continue;
      }
      if (wasAway) late.gap({ kind: "interrupted" });
    }
    const before = cursor;
    cursor = handTo(step.steps, step.cursor, isFirst && fromBeginning);
    isFirst = false;
    // The history is another one, or can't be completed: from now on the subscriber gets what the followers get.
    if (step.isDiverged || isAt(before, cursor)) {
      if (!step.isDiverged && !isAt(cursor, late.sourceCursor())) late.gap({ kind: "lost" });
      return late.join();
    }
  }

  /** Of the messages that are gone before the first one, it missed those that were published after it came. */
  function missedSince(gone: Stretch): Exclude<Step, { kind: "entry" }> | undefined {
    // Where the history stood when the subscriber came is unknown.
    if (!begin) return { kind: "interrupted" };
    const before = begin.at?.epoch === gone.epoch ? begin.at.seq + 1 : 0;
    const missed = gone.end - Math.max(gone.from, before);
    return missed > 0 ? { kind: "trimmed", missed } : undefined;
  }

  /** Hands over messages up to the position of the source. Those behind it will come through the source. */
  function handTo(steps: readonly Step[], reached: Position | undefined, isAllThereIs: boolean): Position | undefined {
    const end = late.sourceCursor();
    let at = cursor;
    for (const [index, step] of steps.entries()) {
      if (step.kind === "entry") {
        if (!end || isBehind(step.entry.position, end)) return at;
        late.entry(step.entry);
        at = step.entry.position;
      } else if (step.kind === "trimmed" && reached) {
        const next = steps[index + 1];
        const { epoch, seq } = next?.kind === "entry" ? next.entry.position : { ...reached, seq: reached.seq + 1 };
        const gone = upTo(end, { epoch, from: seq - step.missed, end: seq });
        const due =
          isAllThereIs && index === 0 ? missedSince(gone) : { ...step, missed: Math.max(0, gone.end - gone.from) };
        if (due && (due.kind !== "trimmed" || due.missed > 0)) late.gap(due);
        if (gone.end < seq) return gone.end > gone.from ? { epoch, seq: gone.end - 1 } : at;
        at = { epoch, seq: seq - 1 };
      } else {
        late.gap(step);
      }
    }
    return reached;
  }
}

/** Messages of an epoch that are gone: from this number to the one before `end`. */
interface Stretch {
  readonly epoch: number;
  readonly from: number;
  readonly end: number;
}

/** The part of it that the source has passed. */
function upTo(source: Position | undefined, gone: Stretch): Stretch {
  if (!source || source.epoch < gone.epoch) return { ...gone, end: gone.from };
  return source.epoch === gone.epoch ? { ...gone, end: Math.min(gone.end, source.seq + 1) } : gone;
}

/** Whether nothing is left of the history as it stood at that place. */
function isAnother({ newest, entries }: HistoryPage, place: Position | undefined): boolean {
  if (!newest) return false;
  const oldest = entries[0] ?? newest;
  return !place || oldest.position.epoch > place.epoch || newest.position.epoch < place.epoch;
}

/** Of a history without messages nothing need be read. */
const beginningAt = (place: Position | undefined): Position | undefined =>
  place !== undefined && place.seq < 0 ? place : undefined;

const isAt = (one: Position | undefined, other: Position | undefined): boolean =>
  one && other ? isSamePlace(one, other) : one === other;
