import type { Gap, GapReason, Message, Position } from "../types.ts";
import { gapOf } from "./interruption.ts";
import type { Member } from "./member.ts";

/** A member of a replay feed, and how far it has come. */
export interface Follower {
  readonly member: Member;
  readonly joinedMs: number;
  position: Position | undefined;
}

/** The members that have been handed everything up to the feed's cursor. */
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
  /** Only members that have joined by then are told. */
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
        follower.member.message(message, size);
      }
    },
    gap(reason, times, missed) {
      const occasion = {};
      for (const { member, joinedMs } of [...all]) {
        if (joinedMs <= (times.joinedByMs ?? joinedMs))
          member.gap(gapOf(named, reason, { ...times, joinedMs }, missed), occasion);
      }
    },
  };
}
