import type { Message as Heard } from "@continuum-cache/core";
import { isBehind, type Step } from "../history/advance.ts";
import type { Frame } from "../history/frame.ts";
import { createRecentMessages, type RecentMessages } from "../history/recent-messages.ts";
import type { Message, Position } from "../types.ts";
import type { Followers } from "./followers.ts";
import { createSeenTags } from "./seen-tags.ts";
import type { FeedParts } from "./volatile-feed.ts";

/** A message with its place, as it was heard or read. */
export interface Placed {
  readonly position: Required<Position>;
  readonly text: string | Uint8Array;
  /** The message that it came in, if it was heard. */
  readonly heard?: Heard;
}

/** Hands out the messages of a replay channel in the order of their places, each once, and knows how far that has come. */
export interface Delivery {
  /** The last message that was handed out, or the place before the first; absent while neither is known. */
  readonly cursor: Position | undefined;
  /** When that was, in milliseconds since 1970. */
  readonly heardMs: number;
  readonly recent: RecentMessages;
  /** Sets the place behind which to go on; who has none yet begins there. */
  goTo(place: Position | undefined): void;
  /** Hands out what comes next. */
  pass(frame: Placed): void;
  /** Hands it out if it comes next by its number. @returns whether it had its place: it was handed out, or had been. */
  take(frame: Required<Frame>, isQueued: boolean): boolean;
  /** Hands out what is in no history. */
  takeUnplaced(frame: Frame | undefined, heard: Heard): void;
  gap(step: Exclude<Step, { kind: "entry" }>, sinceMs: number): void;
  /** There may have been a first history, and its end, before the next message: nothing is known by which its loss would show. */
  doubt(sinceMs: number): void;
  /** Tells of that, if there is anything to tell. */
  tellDoubt(): void;
}

export function createDelivery({ named, decode, toMessage }: FeedParts, followers: Followers): Delivery {
  const recent = createRecentMessages();
  const seen = createSeenTags();
  let cursor: Position | undefined;
  let heardMs = Date.now();
  let doubted: { readonly sinceMs: number; readonly atMs: number } | undefined;

  const tellDoubt = (): void => {
    if (!doubted) return;
    const times = doubted;
    doubted = undefined;
    followers.gap("interrupted", { ...times, joinedByMs: times.atMs });
  };
  const tellUnreadable = (): void => {
    const nowMs = Date.now();
    followers.gap("unreadable", { sinceMs: nowMs, atMs: nowMs }, 1);
  };
  const pass = ({ position, text, heard }: Placed): void => {
    tellDoubt();
    cursor = position;
    heardMs = Date.now();
    if (!seen.isNew(position.tag)) return;
    const { channel } = named;
    const decoded = decode(channel, text, position, heard);
    if (!decoded) {
      tellUnreadable();
      return;
    }
    const message: Message = { channel, data: decoded.data, position };
    recent.add({ message, position, size: text.length });
    followers.message(message, text.length);
  };

  return {
    get cursor() {
      return cursor;
    },
    get heardMs() {
      return heardMs;
    },
    recent,
    goTo(place) {
      cursor = place;
      followers.begin(place);
    },
    pass,
    take(frame, isQueued) {
      const { position } = frame;
      if (cursor && !isBehind(position, cursor)) return isQueued || recent.has(position) === true;
      const isNext = cursor?.epoch === position.epoch ? position.seq === cursor.seq + 1 : position.seq === 0;
      if (isNext) pass(frame);
      return isNext;
    },
    takeUnplaced(frame, heard) {
      if (frame && !seen.isNew(frame.tag)) return;
      const message = toMessage(heard, frame);
      if (message) followers.message(message, heard.data.length);
      else tellUnreadable();
    },
    gap(step, sinceMs) {
      const missed = step.kind === "trimmed" ? step.missed : undefined;
      followers.gap(step.kind, { sinceMs, atMs: Date.now() }, missed);
      // What was handed out before does not reach up to what comes now.
      recent.clear();
    },
    doubt(sinceMs) {
      doubted = { sinceMs: doubted?.sinceMs ?? sinceMs, atMs: Date.now() };
    },
    tellDoubt,
  };
}
