import { advance, isBehind, isSamePlace, type Step } from "../history/advance.ts";
import type { Entry } from "../history/entry.ts";
import type { HistoryPage } from "../history/read-history.ts";
import type { RecentMessage } from "../history/recent-messages.ts";
import type { Position } from "../position.ts";

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
  let cursor = fromBeginning ? undefined : after;
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
    if (wasAway && !cursor && step.cursor && step.cursor.epoch !== begin?.at?.epoch)
      newcomer.gap({ kind: "interrupted" });
    const before = cursor;
    cursor = handOver(step.steps, step.cursor, isFirst && fromBeginning);
    isFirst = false;
    // A past that is not the feed's any more, or one that nobody can complete: from here on it has what the others have.
    if (step.isDiverged || isAt(before, cursor)) {
      if (!step.isDiverged && !isAt(cursor, newcomer.feedCursor())) newcomer.gap({ kind: "lost" });
      return newcomer.join();
    }
  }

  /** Of so many that are gone before the first, those that were published after the newcomer came. */
  function missedSince(gone: number, first: Position | undefined): Exclude<Step, { kind: "entry" }> | undefined {
    // Nobody knows where the history stood when the newcomer came.
    if (!begin) return { kind: "interrupted" };
    const before = begin.at && first?.epoch === begin.at.epoch ? begin.at.seq + 1 : 0;
    return gone > before ? { kind: "trimmed", missed: gone - before } : undefined;
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
      } else if (isAllThereIs && index === 0 && step.kind === "trimmed") {
        const first = steps[1]?.kind === "entry" ? steps[1].entry.position : reached;
        const due = missedSince(step.missed, first);
        if (due) newcomer.gap(due);
      } else {
        newcomer.gap(step);
      }
    }
    return reached;
  }
}

const isAt = (one: Position | undefined, other: Position | undefined): boolean =>
  one && other ? isSamePlace(one, other) : one === other;
