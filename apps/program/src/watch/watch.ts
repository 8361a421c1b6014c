import type { Cache } from "continuum-cache";
import type { MiddlewareHandler } from "hono";
import { type BackendTurn, createBackendLog } from "./backend-log.ts";
import { createDurations } from "./durations.ts";
import { createTimeline, type Sample } from "./timeline.ts";

/** What an operator sees of the service over time. */
export interface Watch {
  /** Counts a request, and how long it took. */
  readonly middleware: MiddlewareHandler;
  /** Takes a sample when one is due. Call it from a timer, if there are timers; each `seen` does it too. */
  sample(): void;
  seen(): Seen;
}

/** What this process has seen so far. */
export interface Seen {
  readonly sinceMs: number;
  readonly requests: number;
  /** Requests that a rate limit refused. */
  readonly limited: number;
  /** The latest first. */
  readonly turns: readonly BackendTurn[];
  /** The oldest first. */
  readonly samples: readonly Sample[];
}

export function createWatch(cache: Cache, now: () => number = Date.now): Watch {
  const counted = { requests: 0, limited: 0, durations: createDurations() };
  const sinceMs = now();
  const { turns } = createBackendLog(cache, now);
  const timeline = createTimeline(cache, counted, now);
  return {
    async middleware(context, next) {
      const startedMs = performance.now();
      await next();
      counted.requests++;
      if (context.res.status === 429) counted.limited++;
      counted.durations.add(performance.now() - startedMs);
    },
    sample: timeline.sample,
    seen() {
      timeline.sample();
      const { requests, limited } = counted;
      return { sinceMs, requests, limited, turns, samples: timeline.samples };
    },
  };
}
