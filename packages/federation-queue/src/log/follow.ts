import {
  assertOptions,
  choiceOption,
  functionOption,
  isUnanswered,
  onAbort,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import { assertSignal } from "../shared/options.ts";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { createWake } from "../shared/wake.ts";
import type { Cursors } from "./cursors.ts";
import { decodeEvent } from "./decode-event.ts";
import type { StreamEntry } from "./entry-fields.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import { knownFollow } from "./known-options.ts";
import type { Name } from "./name.ts";
import type { FollowOptions } from "./options.ts";
import { isOriginTakenError } from "./origin-taken-error.ts";
import { gapBefore, type Position } from "./position.ts";
import { createReader, type Page } from "./reader.ts";
import type { LogSettings } from "./settings.ts";
import { isSameId, type StreamId } from "./stream-id.ts";
import type { LogEntry, LogGap } from "./types.ts";

/** What following needs of its log. */
export interface FollowContext {
  readonly link: PrimaryClient;
  readonly settings: LogSettings;
  readonly name: Name;
  readonly clock: HybridClock;
  readonly cursors: Cursors;
  /** Fires when the log is closed. */
  readonly closing: AbortSignal;
  /** Calls the listener with the origins that have something new; with none when something may have been missed. */
  listen(onRing: (origins: readonly string[]) => void): () => void;
  readonly isHeard: () => boolean;
  failed(operation: string, error: unknown): void;
  missed(gap: LogGap): void;
}

/** How often is looked where rings can't be heard, at least. */
const unheardPollMs = 2_000;
const firstPauseMs = 100;
const longestPauseMs = 5_000;
const mostPerRead = 10_000;

/** @throws ConfigError that quotes what came. */
export function follow<Event>(context: FollowContext, options: FollowOptions): AsyncIterableIterator<LogEntry<Event>> {
  assertOptions("follow", options, knownFollow);
  const { signal, from = "beginning", batch = 100, resync } = options;
  wholeNumberOption("batch", batch, { max: mostPerRead });
  choiceOption("from", from, ["beginning", "now"]);
  functionOption("resync", resync);
  assertSignal(signal);
  return entriesOf<Event>(context, { from, batch }, resync, signal);
}

async function* entriesOf<Event>(
  context: FollowContext,
  start: { readonly from: "beginning" | "now"; readonly batch: number },
  resync: FollowOptions["resync"],
  signal: AbortSignal | undefined,
): AsyncGenerator<LogEntry<Event>, undefined> {
  const { link, settings, name, clock, cursors, closing } = context;
  const reader = createReader(link, settings, cursors, clock, start);
  const wake = createWake();
  const ending = new AbortController();
  const end = (): void => {
    ending.abort();
    wake.wake();
  };
  let isRefreshDue = true;
  let refreshAtMs = 0;
  let isNamed = false;
  let isTroubled = false;

  const stopListening = context.listen((origins) => {
    if (origins.length === 0 || origins.some((origin) => !reader.knows(origin))) isRefreshDue = true;
    if (origins.length === 0 || origins.some((origin) => origin !== settings.instanceId)) wake.wake();
  });
  const stopHearing = [signal, closing].map((each) => onAbort(each, end));
  if (signal?.aborted || closing.aborted) end();

  const ensureName = async (): Promise<void> => {
    try {
      await name.acquire();
      isNamed = true;
    } catch (error) {
      // Who has begun to read goes on while it is unclear who holds the name, but not beside another.
      if (!isNamed || name.isTaken) throw error;
    }
  };
  const readOnce = async (): Promise<Page> => {
    const options = { signal: ending.signal };
    await ensureName();
    if (isRefreshDue || performance.now() >= refreshAtMs) {
      isRefreshDue = false;
      try {
        await reader.refresh(options);
      } catch (error) {
        isRefreshDue = true;
        throw error;
      }
      refreshAtMs = performance.now() + settings.pollMs * (0.75 + 0.5 * Math.random());
    }
    const page = await reader.read(options);
    if (!page.isFull) gapsAtEnds = await reader.check(options);
    await cursors.flush();
    return page;
  };
  let gapsAtEnds: Awaited<ReturnType<typeof reader.check>> = [];

  /** Goes on until there is an answer; `undefined`: it is over. */
  const readPage = async (): Promise<Page | undefined> => {
    let pauseMs = firstPauseMs;
    while (!ending.signal.aborted) {
      try {
        const page = await readOnce();
        isTroubled = false;
        return page;
      } catch (error) {
        if (ending.signal.aborted) return undefined;
        const isPassing = isUnanswered(error) || (isOriginTakenError(error) && !name.isTaken);
        if (!isPassing) throw error;
        if (!isTroubled && !isOriginTakenError(error)) context.failed("follow", error);
        isTroubled = true;
        await wake.wait(Math.max(pauseMs * (0.5 + Math.random()), isNamed ? 0 : name.retryInMs));
        pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      }
    }
    return undefined;
  };

  /** @param behind - Where the reader stands once it is told. */
  const tellGap = async (position: Position, gap: LogGap, behind: StreamId): Promise<void> => {
    const cursor = cursors.get(position.origin);
    const isAllCommitted = cursor !== undefined && isSameId(cursor, position.id);
    context.missed(gap);
    await resync?.(gap);
    position.id = behind;
    // What was given but not committed would be committed with it.
    if (gap.reason === "reset") await cursors.reset(position.origin, behind);
    else if (isAllCommitted) await cursors.commit(position.origin, behind);
  };

  const read = async (position: Position, id: StreamId, entry: StreamEntry): Promise<LogEntry<Event> | undefined> => {
    const { origin } = position;
    const gap = gapBefore(position, id);
    if (gap) await tellGap(position, gap, { atMs: id.atMs, seq: id.seq - 1 });
    let event: Event;
    try {
      event = decodeEvent(settings.codec, entry) as Event;
    } catch (error) {
      context.failed("decode", error);
      await tellGap(position, { origin, missed: 1, fromSeq: id.seq, toSeq: id.seq, reason: "unreadable" }, id);
      return undefined;
    }
    position.id = id;
    return { origin, seq: id.seq, atMs: id.atMs, event, commit: () => cursors.commit(origin, id) };
  };

  try {
    for (;;) {
      const page = await readPage();
      if (!page) return undefined;
      for (const { position, id, entry } of page.entries) {
        if (ending.signal.aborted) return undefined;
        if (!id || id.seq === 0) {
          // No log writes such: it has no place among the numbers.
          position.foreignId = String(entry[0]);
          const what = `The stream of "${position.origin}" holds an entry that is none of a log's`;
          context.failed(
            "read",
            new Error(`${what}, ${position.foreignId.slice(0, 50)}: it was skipped; delete it with XDEL`),
          );
          continue;
        }
        delete position.foreignId;
        clock.see(id.atMs);
        const given = await read(position, id, entry);
        if (given) yield given;
      }
      for (const { position, gap, last } of gapsAtEnds) await tellGap(position, gap, last);
      gapsAtEnds = [];
      if (page.isFull || isRefreshDue) continue;
      const pollMs = refreshAtMs - performance.now();
      if (!ending.signal.aborted)
        await wake.wait(Math.max(1, context.isHeard() ? pollMs : Math.min(pollMs, unheardPollMs)));
    }
  } finally {
    for (const stop of stopHearing) stop();
    stopListening();
  }
}
