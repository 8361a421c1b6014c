import type { Message as Heard } from "@continuum-cache/core";
import { longestTimerMs } from "@continuum-cache/core/kit";
import { type Frame, readFrame } from "../history/frame.ts";
import type { HistoryReader } from "../history/read-history.ts";
import { catchUp, type LateSubscriber } from "./catch-up.ts";
import { createDelivery } from "./delivery.ts";
import { createFollowers, type Follower } from "./followers.ts";
import { gapOf } from "./gap-tracker.ts";
import { createReplayReading } from "./replay-reading.ts";
import { shareAttachment } from "./shared-attachment.ts";
import type { ChannelSource } from "./subscriber.ts";
import type { SourceParts } from "./volatile-source.ts";

/** What the source of a replay channel is made of. */
export interface ReplaySourceParts extends SourceParts {
  readonly reader: HistoryReader;
  /** How long a read of history may take. */
  readonly timeoutMs: number;
  /** How often the history's time to live is renewed while it has subscribers. */
  readonly keepEveryMs: number;
  /** Called when the history can't be read; the source retries until it can. */
  readonly onError: (error: unknown) => void;
}

/** A time to live is renewed three times before it ends: this late, there is time for one more attempt. */
const keepLateBy = 1.25;

/**
 * Delivers live and stored messages as one sequence without holes and repetitions. A live message with the next number
 * is delivered at once. Any other number makes the source read the history, and live messages wait meanwhile.
 */
export function createReplaySource(parts: ReplaySourceParts): ChannelSource {
  const { stream, topic, named, decode, reader, timeoutMs, keepEveryMs, onError } = parts;
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
    const attached = await stream.attach(topic, listener, { timeoutMs: longestTimerMs, signal });
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

  /** Serves a subscriber until it has caught up with the followers. */
  const lateSubscriber = (follower: Follower, isOver: () => boolean): LateSubscriber => ({
    isOver,
    isFollowing: () => reading.isFollowing,
    following: reading.following,
    sourceCursor: () => delivery.cursor,
    recentAfter: delivery.recent.after,
    page: (from) => reader.page(topic.name, from, { timeoutMs }),
    pause: reading.pause,
    onError,
    entry({ position, text }) {
      follower.position = position;
      const decoded = decode(named.channel, text, position);
      const nowMs = Date.now();
      if (decoded) follower.subscriber.message({ channel: named.channel, data: decoded.data, position }, text.length);
      else follower.subscriber.gap(gapOf(named, "unreadable", { sinceMs: nowMs, atMs: nowMs, joinedMs: 0 }, 1), {});
    },
    recent({ message, size }) {
      follower.position = message.position;
      follower.subscriber.message(message, size);
    },
    gap(step) {
      // Nothing more is known of when its position was published.
      const sinceMs = step.kind === "interrupted" ? follower.joinedMs : (follower.position?.epoch ?? 0);
      const times = { sinceMs, joinedMs: 0, atMs: Date.now() };
      follower.subscriber.gap(gapOf(named, step.kind, times, step.kind === "trimmed" ? step.missed : undefined), {});
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
    async join(subscriber, { after, ...options }) {
      await attachment.take(options);
      const follower: Follower = { subscriber, joinedMs: Date.now(), position: delivery.cursor };
      let hasLeft = false;
      if (after === undefined) {
        followers.add(follower);
      } else {
        follower.position = after === "beginning" ? undefined : after;
        const isOver = (): boolean => hasLeft;
        catchUp(after, lateSubscriber(follower, isOver)).catch(onError);
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
