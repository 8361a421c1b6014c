import type { Loss, Restoration } from "@continuum-cache/core/kit";
import type { Gap, GapReason } from "../types.ts";

/**
 * Tracks the time in which a topic's listener did not hear the primary. It begins when the stream breaks, and ends when
 * the primary is heard again. A stream that hears this process alone, while the primary is away, does not end it.
 */
export interface GapTracker {
  /** Since when, in milliseconds since 1970; absent while everything is heard. */
  readonly sinceMs: number | undefined;
  begin(loss: Pick<Loss, "sinceMs">): void;
  /** @returns since when messages may be missing, if this ends such a time; otherwise `undefined`. */
  end(back: Restoration): number | undefined;
}

export function createGapTracker(): GapTracker {
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

/** Makes a gap of one topic. It does not begin before the subscription did. */
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
