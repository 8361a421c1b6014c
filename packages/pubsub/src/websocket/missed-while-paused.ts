import type { Gap } from "../types.ts";
import type { FeedTally } from "./channel-feed.ts";
import type { GapFrame } from "./server-frame.ts";

/** A gap in the form that clients get. */
export function gapFrame({ channel, from, to, missed, reason }: Gap): GapFrame {
  return { type: "gap", channel, from: from.toISOString(), to: to.toISOString(), missed, reason };
}

/** When a subscription stopped listening to a feed, and what the feed had delivered until then. */
export interface StoppedAt {
  readonly ms: number;
  readonly tally: FeedTally;
}

/**
 * The messages that a paused subscription missed, as a gap; `undefined` when there were none.
 *
 * @param repairs - The channel's history returns the messages that it keeps, and counts those that it lost. Then the
 *   gap counts only messages that are in no history.
 */
export function missedWhilePaused(
  channel: string,
  stopped: StoppedAt,
  now: FeedTally,
  repairs: boolean,
): GapFrame | undefined {
  const before = stopped.tally;
  const counted = repairs
    ? now.unplaced - before.unplaced
    : now.messages - before.messages + (now.missed - before.missed);
  const isOpen = now.openGaps > before.openGaps;
  if (counted === 0 && !isOpen) return undefined;
  return {
    type: "gap",
    channel,
    from: new Date(stopped.ms).toISOString(),
    to: new Date().toISOString(),
    missed: isOpen ? undefined : counted,
    reason: isOpen ? "interrupted" : "slow",
  };
}
