import { assertOptions, choiceOption, functionOption, onAbort, wholeNumberOption } from "@continuum-cache/core/kit";
import { assertSignal } from "../shared/options.ts";
import { createPageSource, type FollowContext } from "./page-source.ts";
import { gapBefore, type Position } from "./position.ts";
import type { FoundEntry, ReaderStart } from "./reader.ts";
import { knownFollow } from "./settings.ts";
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
  assertSignal(signal);
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
interface Delivery<Event> {
  /** Returns `undefined` for an entry that is not an event of a log. */
  deliver(found: FoundEntry): Promise<LogEntry<Event> | undefined>;
  /** @param end - Where the reader stands once the gap is reported. */
  reportGap(position: Position, gap: LogGap, end: StreamId): Promise<void>;
}

function createDelivery<Event>(context: FollowContext, resync: FollowOptions["resync"]): Delivery<Event> {
  const { settings, clock, cursors } = context;

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
    async deliver({ position, id, entry }) {
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
