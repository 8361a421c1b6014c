import type { Gap, GapReason, Message, Position } from "../types.ts";
import { gapOf } from "./gap-tracker.ts";
import type { Subscriber } from "./subscriber.ts";

/** A subscriber of a replay source that has caught up, and how far it has come. */
export interface Follower {
  readonly subscriber: Subscriber;
  readonly joinedMs: number;
  position: Position | undefined;
}

/** The subscribers that got everything up to the cursor of their source. */
export interface Followers {
  add(follower: Follower): void;
  delete(follower: Follower): void;
  /** Members without a position begin behind this one. */
  begin(position: Position | undefined): void;
  message(message: Message, size: number): void;
  gap(reason: GapReason, times: GapTimes, missed?: number): void;
}

export interface GapTimes {
  readonly sinceMs: number;
  readonly atMs: number;
  /** Only subscribers that joined by then get the gap. */
  readonly joinedByMs?: number;
}

export function createFollowers(named: Pick<Gap, "channel" | "pattern">): Followers {
  const all = new Set<Follower>();
  return {
    add: (follower) => void all.add(follower),
    delete: (follower) => void all.delete(follower),
    begin(position) {
      for (const follower of all) follower.position ??= position;
    },
    message(message, size) {
      for (const follower of all) {
        follower.position = message.position ?? follower.position;
        follower.subscriber.message(message, size);
      }
    },
    gap(reason, times, missed) {
      const occasion = {};
      for (const { subscriber, joinedMs } of [...all]) {
        if (joinedMs <= (times.joinedByMs ?? joinedMs))
          subscriber.gap(gapOf(named, reason, { ...times, joinedMs }, missed), occasion);
      }
    },
  };
}
