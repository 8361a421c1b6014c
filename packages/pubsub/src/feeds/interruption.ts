import type { Loss, Restoration } from "../hub/topic-listener.ts";
import type { Gap, GapReason } from "../types.ts";

/**
 * What a topic's listener has not heard of the primary. It begins when the stream breaks and ends when the primary is heard
 * again: a stream of this process alone, while the primary is away, ends nothing.
 */
export interface Interruption {
  /** Since when, in milliseconds since 1970; absent while everything is heard. */
  readonly sinceMs: number | undefined;
  begin(loss: Pick<Loss, "sinceMs">): void;
  /** @returns since when something may be missing, when it is over; nothing when it is not, or never was. */
  end(back: Restoration): number | undefined;
}

export function createInterruption(): Interruption {
  let since: number | undefined;
  return {
    get sinceMs() {
      return since;
    },
    begin({ sinceMs }) {
      since = Math.min(since ?? sinceMs, sinceMs);
    },
    end({ atMs, degraded }) {
      if (degraded) {
        since ??= atMs;
        return undefined;
      }
      const ended = since;
      since = undefined;
      return ended;
    },
  };
}

/** Makes gaps of one topic; none begins before the subscription did. */
export function gapOf(
  topic: Pick<Gap, "channel" | "pattern">,
  reason: GapReason,
  times: { readonly sinceMs: number; readonly atMs: number; readonly joinedMs: number },
  missed?: number,
): Gap {
  const fromMs = Math.min(Math.max(times.sinceMs, times.joinedMs), times.atMs);
  return {
    ...topic,
    from: new Date(fromMs),
    to: new Date(times.atMs),
    ...(missed !== undefined && { missed }),
    reason,
  };
}
