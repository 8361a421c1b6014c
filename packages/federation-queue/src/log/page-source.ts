import { createBackoff, isUnanswered } from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { createWake } from "../shared/wake.ts";
import type { Cursors } from "./cursors.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import type { OriginLease } from "./origin-lease.ts";
import { isOriginTakenError } from "./origin-taken-error.ts";
import { createReader, type EndGap, type Page, type ReaderStart } from "./reader.ts";
import { createRefreshSchedule } from "./refresh-schedule.ts";
import type { LogSettings } from "./settings.ts";
import type { LogGap } from "./types.ts";

/** What following needs of its log. */
export interface FollowContext {
  readonly link: PrimaryClient;
  readonly settings: LogSettings;
  readonly lease: OriginLease;
  readonly clock: HybridClock;
  readonly cursors: Cursors;
  /** Fires when the log is closed. */
  readonly closing: AbortSignal;
  /** Calls the listener with the origins that have new events; with none when something may have been missed. */
  listen(onRing: (origins: readonly string[]) => void): () => void;
  readonly isHeard: () => boolean;
  failed(operation: string, error: unknown): void;
  missed(gap: LogGap): void;
}

/** Reads page after page of the other origins' streams. */
export interface PageSource {
  /** Retries until Redis replies. Returns `undefined` once following has ended. */
  next(): Promise<(Page & { readonly endGaps: readonly EndGap[] }) | undefined>;
  /** Waits until there may be more to read. */
  idle(): Promise<void>;
  /** Ends every wait. */
  wake(): void;
  close(): void;
}

/** The longest time between two reads while rings cannot be heard. */
const unheardPollMs = 2_000;

/** @param ending - Fires when following ends. */
export function createPageSource(context: FollowContext, start: ReaderStart, ending: AbortSignal): PageSource {
  const { link, settings, lease, clock, cursors } = context;
  const reader = createReader(link, settings, cursors, clock, start);
  const schedule = createRefreshSchedule(settings.pollMs);
  const wake = createWake();
  /** "troubled": following goes on by itself after an outage, which was reported. */
  let phase: "running" | "troubled" = "running";
  /** The lease was held at least once. */
  let hasBegun = false;

  const stopListening = context.listen((origins) => {
    if (origins.length === 0 || origins.some((origin) => !reader.knows(origin))) schedule.request();
    if (origins.length === 0 || origins.some((origin) => origin !== settings.instanceId)) wake.wake();
  });

  const ensureLease = async (): Promise<void> => {
    try {
      await lease.acquire();
      hasBegun = true;
    } catch (error) {
      // A reader goes on while the holder of its name is unclear, but not beside a living process of that name.
      if (!hasBegun || lease.hasConflict) throw error;
    }
  };
  const readOnce = async () => {
    const options = { signal: ending };
    await ensureLease();
    await schedule.runIfDue(() => reader.refresh(options));
    const page = await reader.read(options);
    const endGaps = page.isFull ? [] : await reader.check(options);
    await cursors.flush();
    return { ...page, endGaps };
  };

  return {
    async next() {
      const backoff = createBackoff({ firstMs: 100, longestMs: 5_000 });
      while (!ending.aborted) {
        try {
          const page = await readOnce();
          phase = "running";
          return page;
        } catch (error) {
          if (ending.aborted) return undefined;
          const isRetryable = isUnanswered(error) || (isOriginTakenError(error) && !lease.hasConflict);
          if (!isRetryable) throw error;
          if (phase === "running" && !isOriginTakenError(error)) context.failed("follow", error);
          phase = "troubled";
          await wake.wait(Math.max(backoff.next(), hasBegun ? 0 : lease.retryInMs));
        }
      }
      return undefined;
    },
    async idle() {
      if (schedule.isRequested || ending.aborted) return;
      const waitMs = context.isHeard() ? schedule.msLeft : Math.min(schedule.msLeft, unheardPollMs);
      await wake.wait(Math.max(1, waitMs));
    },
    wake: wake.wake,
    close: stopListening,
  };
}
