import type { Message as Heard } from "@continuum-cache/core";
import { longestTimerMs } from "@continuum-cache/core/kit";
import { type Frame, readFrame } from "../history/frame.ts";
import type { HistoryReader } from "../history/read-history.ts";
import { catchUp, type Newcomer } from "./catch-up.ts";
import { createDelivery } from "./delivery.ts";
import { createFollowers, type Follower } from "./followers.ts";
import { gapOf } from "./interruption.ts";
import type { Feed } from "./member.ts";
import { createReplayReading } from "./replay-reading.ts";
import { shareAttachment } from "./shared-attachment.ts";
import type { FeedParts } from "./volatile-feed.ts";

/** What a feed of a replay channel needs besides. */
export interface ReplayFeedParts extends FeedParts {
  readonly reader: HistoryReader;
  /** How long a read of history may take. */
  readonly timeoutMs: number;
  /** How often the history's life is prolonged, while it is listened to. */
  readonly keepEveryMs: number;
  /** Told when the history can't be read; it is tried again until it can. */
  readonly onError: (error: unknown) => void;
}

/** The life of a history is prolonged three times in its length: so late, there is time for one more attempt. */
const keepLateBy = 1.25;

/**
 * Hands out what is heard and what is stored as one sequence without holes and repetitions. What comes next by its number is
 * handed out as it is heard; whatever does not fit sends the feed to the history, and what is heard meanwhile waits.
 */
export function createReplayFeed(parts: ReplayFeedParts): Feed {
  const { hub, topic, named, decode, reader, timeoutMs, keepEveryMs, onError } = parts;
  const followers = createFollowers(named);
  const delivery = createDelivery(parts, followers);
  const reading = createReplayReading({ topic, delivery, reader, timeoutMs, onError });

  const listener = {
    message(heard: Heard): void {
      const frame = readFrame(heard);
      if (frame?.position) reading.hear(frame as Required<Frame>);
      else delivery.takeUnplaced(frame, heard);
    },
    lost: reading.lost,
    restored: reading.restored,
  };
  const attachment = shareAttachment(topic.name, async (signal) => {
    const attached = await hub.attach(topic, listener, { timeoutMs: longestTimerMs, signal });
    try {
      await reading.begin(attached.start);
      return attached;
    } catch (error) {
      attached.detach();
      throw error;
    }
  });
  let keptMs = performance.now();
  const keep = (): void => {
    keptMs = performance.now();
    reader.keep(topic.name, { timeoutMs }).catch(onError);
  };
  const keeping = setInterval(keep, keepEveryMs);
  // Where timers keep a process alive this one must not: the stream itself does.
  (keeping as { unref?(): void }).unref?.();

  /** What a follower is told until it has come to where the others are. */
  const newcomer = (follower: Follower, isOver: () => boolean): Newcomer => ({
    isOver,
    isFollowing: () => reading.isFollowing,
    following: reading.following,
    feedCursor: () => delivery.cursor,
    recentAfter: delivery.recent.after,
    page: (from) => reader.page(topic.name, from, { timeoutMs }),
    pause: reading.pause,
    onError,
    entry({ position, text }) {
      follower.position = position;
      const decoded = decode(named.channel, text, position);
      const nowMs = Date.now();
      if (decoded) follower.member.message({ channel: named.channel, data: decoded.data, position }, text.length);
      else follower.member.gap(gapOf(named, "unreadable", { sinceMs: nowMs, atMs: nowMs, joinedMs: 0 }, 1), {});
    },
    recent({ message, size }) {
      follower.position = message.position;
      follower.member.message(message, size);
    },
    gap(step) {
      // All that is known of the time of its place.
      const sinceMs = step.kind === "interrupted" ? follower.joinedMs : (follower.position?.epoch ?? 0);
      const times = { sinceMs, joinedMs: 0, atMs: Date.now() };
      follower.member.gap(gapOf(named, step.kind, times, step.kind === "trimmed" ? step.missed : undefined), {});
    },
    join() {
      follower.position = delivery.cursor ?? follower.position;
      followers.add(follower);
    },
  });

  return {
    close() {
      clearInterval(keeping);
      reading.close();
    },
    takeOver() {
      reading.takeOver();
      // The interval ends with the call that has set it.
      if (performance.now() - keptMs > keepLateBy * keepEveryMs) keep();
    },
    async join(member, { after, ...options }) {
      await attachment.take(options);
      const follower: Follower = { member, joinedMs: Date.now(), position: delivery.cursor };
      let hasLeft = false;
      if (after === undefined) {
        followers.add(follower);
      } else {
        follower.position = after === "beginning" ? undefined : after;
        const isOver = (): boolean => hasLeft;
        catchUp(after, newcomer(follower, isOver)).catch(onError);
      }
      return {
        get position() {
          return follower.position;
        },
        leave() {
          if (hasLeft) return;
          hasLeft = true;
          followers.delete(follower);
          attachment.giveBack();
        },
      };
    },
  };
}
