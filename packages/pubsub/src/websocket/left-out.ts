import type { Gap } from "../types.ts";
import type { FeedTally } from "./channel-feed.ts";
import type { GapFrame } from "./server-frame.ts";

/** A gap as a client is told of it. */
export function gapFrame({ channel, from, to, missed, reason }: Gap): GapFrame {
  return { type: "gap", channel, from: from.toISOString(), to: to.toISOString(), missed, reason };
}

/** When somebody stopped listening to a feed, and what it had told until then. */
export interface StoppedAt {
  readonly ms: number;
  readonly tally: FeedTally;
}

/**
 * What went by while somebody was not listening, as a gap; `undefined` when it was nothing.
 *
 * @param repairs - The channel's history gives back what has a place in it, and counts what it can't: only the rest is
 *   told.
 */
export function leftOut(channel: string, stopped: StoppedAt, now: FeedTally, repairs: boolean): GapFrame | undefined {
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
