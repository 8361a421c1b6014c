import { advance, isBehind, isSamePlace, type Step } from "../history/advance.ts";
import type { Entry } from "../history/entry.ts";
import type { HistoryPage } from "../history/read-history.ts";
import type { RecentMessage } from "../history/recent-messages.ts";
import type { Position } from "../types.ts";

/** A feed as a newcomer sees it, and the newcomer as the feed does. */
export interface Newcomer {
  isOver(): boolean;
  isFollowing(): boolean;
  /** Resolves when the feed follows what is published. */
  following(): Promise<void>;
  feedCursor(): Position | undefined;
  /** What the feed has handed out behind a place, when it still has all of it. */
  recentAfter(place: Position): readonly RecentMessage[] | undefined;
  page(from: Position | undefined): Promise<HistoryPage>;
  pause(ms: number): Promise<unknown>;
  onError(error: unknown): void;
  entry(entry: Entry): void;
  recent(message: RecentMessage): void;
  gap(step: Exclude<Step, { kind: "entry" }>): void;
  /** From here on the newcomer is one of those who follow. */
  join(): void;
}

/**
 * Hands a newcomer what is stored behind its place until it has what the feed's followers have, and lets it join them in that
 * very moment: nothing is between the two, and nothing comes twice.
 */
export async function catchUp(after: Position | "beginning", newcomer: Newcomer): Promise<void> {
  const fromBeginning = after === "beginning";
  /** What is gone of a history that is read from its beginning is nothing that was missed, unless it came after this. */
  const begin = newcomer.isFollowing() ? { at: newcomer.feedCursor() } : undefined;
  let cursor = fromBeginning ? beginningAt(begin?.at) : after;
  let isFirst = true;
  let wasAway = false;
  for (let attempt = 0; !newcomer.isOver(); ) {
    wasAway ||= begin !== undefined && !newcomer.isFollowing();
    await newcomer.following();
    if (newcomer.isOver()) return;
    const messages = cursor && newcomer.recentAfter(cursor);
    if (messages) for (const message of messages) newcomer.recent(message);
    const end = newcomer.feedCursor();
    if (messages || isAt(cursor, end)) return newcomer.join();
    let page: HistoryPage;
    try {
      page = await newcomer.page(cursor);
    } catch (error) {
      newcomer.onError(error);
      await newcomer.pause(Math.random() * Math.min(1_000, 50 * 2 ** attempt++));
      continue;
    }
    if (newcomer.isOver()) return;
    const step = advance(cursor, page);
    if (!cursor && isAnother(page, begin?.at)) {
      // What was kept is gone before it could be read. The feed has heard what came since, unless it was away.
      if (begin?.at && !wasAway) {
        cursor = begin.at;
        continue;
      }
      if (wasAway) newcomer.gap({ kind: "interrupted" });
    }
    const before = cursor;
    cursor = handOver(step.steps, step.cursor, isFirst && fromBeginning);
    isFirst = false;
    // A past that is not the feed's any more, or one that nobody can complete: from here on it has what the others have.
    if (step.isDiverged || isAt(before, cursor)) {
      if (!step.isDiverged && !isAt(cursor, newcomer.feedCursor())) newcomer.gap({ kind: "lost" });
      return newcomer.join();
    }
  }

  /** Of those that are gone before the first, only what was published after the newcomer came was missed. */
  function missedSince(gone: Stretch): Exclude<Step, { kind: "entry" }> | undefined {
    // Nobody knows where the history stood when the newcomer came.
    if (!begin) return { kind: "interrupted" };
    const before = begin.at?.epoch === gone.epoch ? begin.at.seq + 1 : 0;
    const missed = gone.end - Math.max(gone.from, before);
    return missed > 0 ? { kind: "trimmed", missed } : undefined;
  }

  /** Up to where the feed is: what is behind that will come through the feed. */
  function handOver(
    steps: readonly Step[],
    reached: Position | undefined,
    isAllThereIs: boolean,
  ): Position | undefined {
    const end = newcomer.feedCursor();
    let at = cursor;
    for (const [index, step] of steps.entries()) {
      if (step.kind === "entry") {
        if (!end || isBehind(step.entry.position, end)) return at;
        newcomer.entry(step.entry);
        at = step.entry.position;
      } else if (step.kind === "trimmed" && reached) {
        const next = steps[index + 1];
        const { epoch, seq } = next?.kind === "entry" ? next.entry.position : { ...reached, seq: reached.seq + 1 };
        const gone = upTo(end, { epoch, from: seq - step.missed, end: seq });
        const due =
          isAllThereIs && index === 0 ? missedSince(gone) : { ...step, missed: Math.max(0, gone.end - gone.from) };
        if (due && (due.kind !== "trimmed" || due.missed > 0)) newcomer.gap(due);
        if (gone.end < seq) return gone.end > gone.from ? { epoch, seq: gone.end - 1 } : at;
        at = { epoch, seq: seq - 1 };
      } else {
        newcomer.gap(step);
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

/** The part of it that the feed has passed. */
function upTo(feed: Position | undefined, gone: Stretch): Stretch {
  if (!feed || feed.epoch < gone.epoch) return { ...gone, end: gone.from };
  return feed.epoch === gone.epoch ? { ...gone, end: Math.min(gone.end, feed.seq + 1) } : gone;
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
