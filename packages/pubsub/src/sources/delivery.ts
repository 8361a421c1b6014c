import type { Message as Heard } from "@continuum-cache/core";
import { isBehind, type Step } from "../history/advance.ts";
import type { Frame } from "../history/frame.ts";
import { createRecentMessages, type RecentMessages } from "../history/recent-messages.ts";
import type { Message, Position } from "../types.ts";
import { createDedupeSet } from "./dedupe-set.ts";
import type { Followers } from "./followers.ts";
import type { SourceParts } from "./volatile-source.ts";

/** A message with its position, heard or read. */
export interface Placed {
  readonly position: Required<Position>;
  readonly text: string | Uint8Array;
  /** The live message that carried it; absent when it was read. */
  readonly heard?: Heard;
}

/**
 * Delivers the messages of a replay channel in the order of their positions, each once, and knows how far it has come.
 */
export interface Delivery {
  /** The last delivered message, or the place before the first; absent while neither is known. */
  readonly cursor: Position | undefined;
  /** When it was delivered, in milliseconds since 1970. */
  readonly heardMs: number;
  readonly recent: RecentMessages;
  /** Sets the position behind which to go on. Followers without a position begin there. */
  goTo(place: Position | undefined): void;
  /** Delivers the next message. */
  pass(frame: Placed): void;
  /**
   * Delivers the message if its number is the next. @returns whether it is settled: it was delivered now, or before.
   */
  take(frame: Required<Frame>, isQueued: boolean): boolean;
  /** Delivers a message that is in no history. */
  takeUnplaced(frame: Frame | undefined, heard: Heard): void;
  gap(step: Exclude<Step, { kind: "entry" }>, sinceMs: number): void;
  /**
   * Notes that a history may have begun and been lost before the next message: nothing was read yet by which such a
   * loss would show.
   */
  doubt(sinceMs: number): void;
  /** Reports a noted doubt as a gap. */
  reportDoubt(): void;
}

export function createDelivery({ named, decode, toMessage }: SourceParts, followers: Followers): Delivery {
  const recent = createRecentMessages();
  const seen = createDedupeSet();
  let cursor: Position | undefined;
  let heardMs = Date.now();
  let doubted: { readonly sinceMs: number; readonly atMs: number } | undefined;

  const reportDoubt = (): void => {
    if (!doubted) return;
    const times = doubted;
    doubted = undefined;
    followers.gap("interrupted", { ...times, joinedByMs: times.atMs });
  };
  const reportUnreadable = (): void => {
    const nowMs = Date.now();
    followers.gap("unreadable", { sinceMs: nowMs, atMs: nowMs }, 1);
  };
  const pass = ({ position, text, heard }: Placed): void => {
    reportDoubt();
    cursor = position;
    heardMs = Date.now();
    if (!seen.isNew(position.tag)) return;
    const { channel } = named;
    const decoded = decode(channel, text, position, heard);
    if (!decoded) {
      reportUnreadable();
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
      else reportUnreadable();
    },
    gap(step, sinceMs) {
      const missed = step.kind === "trimmed" ? step.missed : undefined;
      followers.gap(step.kind, { sinceMs, atMs: Date.now() }, missed);
      // The messages before the gap do not reach up to those that come now.
      recent.clear();
    },
    doubt(sinceMs) {
      doubted = { sinceMs: doubted?.sinceMs ?? sinceMs, atMs: Date.now() };
    },
    reportDoubt,
  };
}
