import {
  assertOptions,
  choiceOption,
  createBackoff,
  functionOption,
  isUnanswered,
  onAbort,
  signalOption,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { createRefreshSchedule, createWake } from "../shared/timing.ts";
import type { Cursors } from "./cursors.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import type { OriginLease } from "./origin-lease.ts";
import { isOriginTakenError } from "./origin-taken-error.ts";
import { createReader, type FoundEntry, gapBefore, type Position, type ReaderStart } from "./reader.ts";
import { knownFollow, type LogSettings } from "./settings.ts";
import { decodeEvent, isSameId, type StreamId } from "./stream.ts";
import type { FollowOptions, LogEntry, LogGap } from "./types.ts";

const mostPerRead = 10_000;

/** @throws ConfigError that quotes what came. */
export function follow<Event>(context: FollowContext, options: FollowOptions): AsyncIterableIterator<LogEntry<Event>> {
  assertOptions("follow", options, knownFollow);
  const { signal, from = "beginning", batch = 100, resync } = options;
  wholeNumberOption("batch", batch, { max: mostPerRead });
  choiceOption("from", from, ["beginning", "now"]);
  functionOption("resync", resync);
  signalOption(signal);
  return entriesOf<Event>(context, { from, batch }, resync, signal);
}

async function* entriesOf<Event>(
  context: FollowContext,
  start: ReaderStart,
  resync: FollowOptions["resync"],
  signal: AbortSignal | undefined,
): AsyncGenerator<LogEntry<Event>, undefined> {
  const ending = new AbortController();
  const pages = createPageSource(context, start, ending.signal);
  const delivery = createDelivery<Event>(context, resync);
  const end = (): void => {
    ending.abort();
    pages.wake();
  };
  const stopHearing = [signal, context.closing].map((each) => onAbort(each, end));
  if (signal?.aborted || context.closing.aborted) end();

  try {
    for (;;) {
      const page = await pages.next();
      if (!page) return undefined;
      for (const found of page.entries) {
        if (ending.signal.aborted) return undefined;
        const entry = await delivery.deliver(found);
        if (entry) yield entry;
      }
      for (const { position, gap, last } of page.endGaps) await delivery.reportGap(position, gap, last);
      if (!page.isFull) await pages.idle();
    }
  } finally {
    for (const stop of stopHearing) stop();
    pages.close();
  }
}

/** Makes events of entries, and reports what is missing before them. */
function createDelivery<Event>(context: FollowContext, resync: FollowOptions["resync"]) {
  const { settings, clock, cursors } = context;

  /** @param end - Where the reader stands once the gap is reported. */
  const reportGap = async (position: Position, gap: LogGap, end: StreamId): Promise<void> => {
    const cursor = cursors.get(position.origin);
    const isAllCommitted = cursor !== undefined && isSameId(cursor, position.id);
    context.missed(gap);
    await resync?.(gap);
    position.id = end;
    // While events before the gap are not committed, committing the gap would commit them with it.
    if (gap.reason === "reset") await cursors.reset(position.origin, end);
    else if (isAllCommitted) await cursors.commit(position.origin, end);
  };

  return {
    reportGap,
    /** Returns `undefined` for an entry that is not an event of a log. */
    async deliver({ position, id, entry }: FoundEntry): Promise<LogEntry<Event> | undefined> {
      const { origin } = position;
      if (!id || id.seq === 0) {
        // A log does not write such ids: the entry has no place among the numbers.
        position.foreignId = String(entry[0]);
        const what = `an entry that a log did not write, ${position.foreignId.slice(0, 50)}`;
        context.failed(
          "read",
          new Error(`The stream of "${origin}" holds ${what}: it was skipped; delete it with XDEL`),
        );
        return undefined;
      }
      delete position.foreignId;
      clock.observe(id.atMs);
      const gap = gapBefore(position, id);
      if (gap) await reportGap(position, gap, { atMs: id.atMs, seq: id.seq - 1 });
      let event: Event;
      try {
        event = decodeEvent(settings.codec, entry) as Event;
      } catch (error) {
        context.failed("decode", error);
        await reportGap(position, { origin, missed: 1, fromSeq: id.seq, toSeq: id.seq, reason: "unreadable" }, id);
        return undefined;
      }
      position.id = id;
      return { origin, seq: id.seq, atMs: id.atMs, event, commit: () => cursors.commit(origin, id) };
    },
  };
}

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
  listen(onNotification: (origins: readonly string[]) => void): () => void;
  readonly isHeard: () => boolean;
  failed(operation: string, error: unknown): void;
  missed(gap: LogGap): void;
}

/** The longest time between two reads while no notifications arrive. */
const unheardPollMs = 2_000;

/** Reads page after page of the other origins' streams. @param ending - Fires when following ends. */
function createPageSource(context: FollowContext, start: ReaderStart, ending: AbortSignal) {
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
    /** Retries until Redis replies. Returns `undefined` once following has ended. */
    async next(): Promise<Awaited<ReturnType<typeof readOnce>> | undefined> {
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
    /** Waits until there may be more to read. */
    async idle(): Promise<void> {
      if (schedule.isRequested || ending.aborted) return;
      const waitMs = context.isHeard() ? schedule.msLeft : Math.min(schedule.msLeft, unheardPollMs);
      await wake.wait(Math.max(1, waitMs));
    },
    /** Ends every wait. */
    wake: wake.wake,
    close: stopListening,
  };
}
