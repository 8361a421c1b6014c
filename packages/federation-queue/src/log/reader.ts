import type { Command } from "@continuum-cache/core";
import { unwrap } from "@continuum-cache/core/kit";
import type { PrimaryCallOptions, PrimaryClient } from "../shared/primary-client.ts";
import type { Cursors } from "./cursors.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import { isHeldAt, type Registered, readRegistry } from "./registry.ts";
import type { LogSettings } from "./settings.ts";
import {
  createStreamReader,
  isAfter,
  isSameId,
  noId,
  parseId,
  readStreamInfo,
  type StreamEntry,
  type StreamId,
  type StreamInfo,
  type StreamPage,
  writeId,
} from "./stream.ts";
import type { LogGap } from "./types.ts";

/** Reads the streams of all origins except this instance's own, with one command. */
export interface Reader {
  knows(origin: string): boolean;
  /** Asks which origins there are; the first time also where this instance stands. */
  refresh(options: PrimaryCallOptions): Promise<void>;
  /** The next entries of all origins in the order of time. */
  read(options: PrimaryCallOptions): Promise<Page>;
  /** Looks at streams that had nothing to read although they may have, for gaps at their ends. */
  check(options: PrimaryCallOptions): Promise<readonly EndGap[]>;
}

/** Some entries, and whether there may be more. */
export interface Page {
  readonly entries: readonly FoundEntry[];
  readonly isFull: boolean;
}

export interface FoundEntry {
  readonly position: Position;
  /** Absent when a log does not write such ids. */
  readonly id: StreamId | undefined;
  readonly entry: StreamEntry;
}

/** A gap without an entry behind it yet. */
export interface EndGap {
  readonly position: Position;
  readonly gap: LogGap;
  /** Where the stream ends. */
  readonly last: StreamId;
}

export interface ReaderStart {
  readonly from: "beginning" | "now";
  readonly batch: number;
}

export function createReader(
  link: PrimaryClient,
  { keys, instanceId, retentionMs }: LogSettings,
  cursors: Cursors,
  clock: HybridClock,
  start: ReaderStart,
): Reader {
  const streams = createStreamReader(link, start.batch);
  const positions = new Map<string, Position>();
  const registered = new Map<string, Registered>();
  /** Origins whose stream `check` looks at, unless the next read returns entries of it. */
  const doubtful = new Set<string>();
  const trimOrphans = createOrphanTrimmer(keys.stream, retentionMs, clock);
  let isFirst = true;
  let from = start.from;

  const infosOf = async (origins: readonly string[], options: PrimaryCallOptions) =>
    (
      await link.send(
        origins.map((origin): Command => ["XINFO", "STREAM", keys.stream(origin)]),
        options,
      )
    ).map(readStreamInfo);

  const place = async (origins: readonly string[], options: PrimaryCallOptions): Promise<void> => {
    const known = origins.filter((origin) => cursors.get(origin) !== undefined);
    const fresh = origins.filter((origin) => cursors.get(origin) === undefined);
    const infos = await infosOf(fresh, options);
    for (const [at, info] of infos.entries()) {
      const origin = fresh[at] ?? "";
      const id = startOf(info, from);
      positions.set(origin, { origin, key: keys.stream(origin), id });
      // Stored at first sight, so that events which are missed from now on are counted.
      cursors.commit(origin, id).catch(() => {
        // Redis refused it: it will refuse the first commit too, whose caller gets the error.
      });
    }
    for (const origin of known) {
      positions.set(origin, { origin, key: keys.stream(origin), id: cursors.get(origin) ?? noId });
      doubtful.add(origin);
    }
  };

  const noteRegistered = (origins: ReadonlyMap<string, Registered>): void => {
    for (const [origin, { id, aheadOf }] of positions) {
      const [before, now] = [registered.get(origin), origins.get(origin)];
      if (before?.sinceMs !== now?.sinceMs || (now && now.last.seq > id.seq) || aheadOf) doubtful.add(origin);
    }
    registered.clear();
    for (const [origin, now] of origins) registered.set(origin, now);
  };

  return {
    knows: (origin) => origin === instanceId || positions.has(origin),
    async refresh(options) {
      const commands: Command[] = [["HGETALL", keys.registry]];
      if (isFirst) commands.push(["HGETALL", keys.cursors(instanceId)]);
      const replies = await link.send(commands, options);
      const origins = readRegistry(unwrap(replies[0]));
      if (isFirst) cursors.load(unwrap(replies[1]));
      if ([...cursors.origins].length > 0) from = "beginning";
      const all = new Set([...origins.keys(), ...cursors.origins]);
      all.delete(instanceId);
      const unplaced = [...all].filter((origin) => !positions.has(origin));
      if (unplaced.length > 0) await place(unplaced, options);
      // An origin that appears later has no events from before.
      from = "beginning";
      const isForgotten = !isFirst && [...registered.keys()].some((origin) => !origins.has(origin));
      isFirst = false;
      noteRegistered(origins);
      // A database that has forgotten an origin has forgotten where its readers stand.
      if (isForgotten) await cursors.flush(true);
      const trims = trimOrphans(origins);
      if (trims.length > 0) await link.send(trims, options);
    },
    async read(options) {
      if (positions.size === 0) return { entries: [], isFull: false };
      const all = [...positions.values()];
      const page = await streams.read(
        all.map(({ key, id, foreignId }) => ({ key, id: foreignId ?? writeId(id) })),
        options,
      );
      const entries = inOrderOfTime(page, new Map(all.map((position) => [position.key, position])));
      for (const { position } of entries) doubtful.delete(position.origin);
      return { entries, isFull: page.isFull };
    },
    async check(options) {
      const suspects = [...doubtful].flatMap((origin) => positions.get(origin) ?? []);
      if (suspects.length === 0) return [];
      const infos = await infosOf(
        suspects.map(({ origin }) => origin),
        options,
      );
      doubtful.clear();
      return infos.flatMap((info, at) => {
        const position = suspects[at];
        const gap = position && gapAtEnd(position, info);
        return position && gap ? [{ position, gap, last: info.last }] : [];
      });
    },
  };
}

/** Entries of all origins by time. Within an origin time only grows, so its own order stays. */
function inOrderOfTime({ rows }: StreamPage, positions: ReadonlyMap<string, Position>): readonly FoundEntry[] {
  const entries = rows.flatMap(([key, found]): FoundEntry[] => {
    const position = positions.get(key);
    return position ? found.map((entry) => ({ position, id: parseId(entry[0]), entry })) : [];
  });
  const timeOf = ({ id }: FoundEntry): number => id?.atMs ?? Number.POSITIVE_INFINITY;
  return entries.sort((one, other) => Math.sign(timeOf(one) - timeOf(other)) || 0);
}

/** Only the readers trim the stream of an origin whose process is gone. Returns the commands that do so now. */
function createOrphanTrimmer(
  streamOf: (origin: string) => string,
  retentionMs: number,
  clock: HybridClock,
): (origins: ReadonlyMap<string, Registered>) => readonly Command[] {
  const pauseMs = retentionMs / 4;
  let trimmedMs = performance.now() - Math.random() * pauseMs;
  return (origins) => {
    const nowMs = clock.serverMs;
    if (nowMs === 0 || performance.now() - trimmedMs < pauseMs) return [];
    trimmedMs = performance.now();
    const floorMs = Math.max(0, nowMs - retentionMs);
    const orphans = [...origins].filter(([, registered]) => !isHeldAt(registered, nowMs));
    return orphans.map(([origin]) => ["XTRIM", streamOf(origin), "MINID", floorMs]);
  };
}

/** Where a reader stands in one origin's stream. */
export interface Position {
  readonly origin: string;
  readonly key: string;
  /** The last event that was delivered or skipped. */
  id: StreamId;
  /** The id, as Redis writes it, of a foreign entry behind that event: the next read begins behind it. */
  foreignId?: string;
  /** Where the stream ended at the last check, when that was before this position. */
  aheadOf?: StreamId;
}

/** The gap between a reader that stands here and the entry that it has found, if there is one. */
export function gapBefore({ origin, id }: Position, entry: StreamId): LogGap | undefined {
  if (entry.seq === id.seq + 1) return undefined;
  const toSeq = entry.seq - 1;
  // Redis placed it behind this position, but its number is not greater: the numbers have begun anew.
  if (entry.seq <= id.seq) return { origin, missed: 0, fromSeq: entry.seq, toSeq, reason: "reset" };
  return { origin, missed: toSeq - id.seq, fromSeq: id.seq + 1, toSeq, reason: "retention" };
}

/**
 * The gap at the end of a stream that had nothing to read. A stream that ends before the position may still be repaired
 * by its origin, so this reports a loss only when the stream looks the same a second time.
 */
export function gapAtEnd(
  position: Position,
  { last, lastEntry }: Pick<StreamInfo, "last" | "lastEntry">,
): LogGap | undefined {
  const { origin, id, aheadOf } = position;
  delete position.aheadOf;
  // A log does not write entries without a number.
  if (isSameId(last, id) || (last.seq === 0 && last.atMs > 0)) return undefined;
  if (isAfter(last, id) && last.seq > id.seq) {
    // The next read returns the entries that exist, and finds the gap before them.
    if (lastEntry && isAfter(lastEntry, id)) return undefined;
    return { origin, missed: last.seq - id.seq, fromSeq: id.seq + 1, toSeq: last.seq, reason: "retention" };
  }
  if (aheadOf && isSameId(aheadOf, last)) {
    return { origin, missed: 0, fromSeq: last.seq + 1, toSeq: last.seq, reason: "reset" };
  }
  position.aheadOf = last;
  return undefined;
}

/** Where a reader begins with an origin that is new to it. */
export function startOf({ last, firstEntry }: StreamInfo, from: "beginning" | "now"): StreamId {
  if (from === "now" || !firstEntry) return last;
  return { atMs: firstEntry.atMs, seq: firstEntry.seq - 1 };
}
