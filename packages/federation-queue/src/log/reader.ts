import { type Command, isTransportError, type Reply } from "@continuum-cache/core";
import type { PrimaryCallOptions, PrimaryClient } from "../shared/primary-client.ts";
import { unwrap } from "../shared/replies.ts";
import type { Cursors } from "./cursors.ts";
import type { StreamEntry } from "./entry-fields.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import { gapAtEnd, type Position, startOf } from "./position.ts";
import { nobody, type Registered, readRegistry } from "./registry.ts";
import type { LogSettings } from "./settings.ts";
import { noId, parseId, type StreamId, writeId } from "./stream-id.ts";
import { readStreamInfo } from "./stream-info.ts";
import type { LogGap } from "./types.ts";

/** Reads the streams of all origins but the own: one command for all of them. */
export interface Reader {
  knows(origin: string): boolean;
  /** Looks which origins there are; the first time also where this instance stands. */
  refresh(options: PrimaryCallOptions): Promise<void>;
  /** What comes next, of all origins in the order of time. */
  read(options: PrimaryCallOptions): Promise<Page>;
  /** Looks at streams that gave nothing although they may have, and tells what was missed at their ends. */
  check(options: PrimaryCallOptions): Promise<readonly EndGap[]>;
}

/** Some entries, and whether there may be more. */
export interface Page {
  readonly entries: readonly Found[];
  readonly isFull: boolean;
}

export interface Found {
  readonly position: Position;
  /** Absent where it is none of a log's. */
  readonly id: StreamId | undefined;
  readonly entry: StreamEntry;
}

/** Events that were missed, with nothing behind them yet. */
export interface EndGap {
  readonly position: Position;
  readonly gap: LogGap;
  /** Where the stream ends. */
  readonly last: StreamId;
}

export function createReader(
  link: PrimaryClient,
  { keys, instanceId, retentionMs }: LogSettings,
  cursors: Cursors,
  clock: HybridClock,
  start: { readonly from: "beginning" | "now"; readonly batch: number },
): Reader {
  const positions = new Map<string, Position>();
  const registered = new Map<string, Registered>();
  /** Streams to be looked at, should they have nothing to give. */
  const doubtful = new Set<string>();
  let isFirst = true;
  let from = start.from;
  let count = start.batch;
  const tidyPauseMs = retentionMs / 4;
  let tidiedMs = performance.now() - Math.random() * tidyPauseMs;

  /** Nobody trims the streams of those who are gone but whoever reads them. */
  const tidying = (origins: ReadonlyMap<string, Registered>): readonly Command[] => {
    const nowMs = clock.serverMs;
    if (nowMs === 0 || performance.now() - tidiedMs < tidyPauseMs) return [];
    tidiedMs = performance.now();
    const orphans = [...origins].filter(([, { holder, untilMs }]) => holder === nobody || untilMs < nowMs);
    const floorMs = Math.max(0, nowMs - retentionMs);
    return orphans.map(([origin]) => ["XTRIM", keys.stream(origin), "MINID", floorMs]);
  };

  const place = async (origins: readonly string[], options: PrimaryCallOptions): Promise<void> => {
    const known = origins.filter((origin) => cursors.get(origin) !== undefined);
    const fresh = origins.filter((origin) => cursors.get(origin) === undefined);
    const infos = await link.send(
      fresh.map((origin): Command => ["XINFO", "STREAM", keys.stream(origin)]),
      options,
    );
    for (const [at, origin] of fresh.entries()) {
      const id = startOf(readStreamInfo(infos[at]), from);
      positions.set(origin, { origin, key: keys.stream(origin), id });
      // Stored at first sight, so that what is missed from now on is counted.
      cursors.commit(origin, id).catch(() => {
        // Refused: the first commit will be too, and its caller is told.
      });
    }
    for (const origin of known) {
      positions.set(origin, { origin, key: keys.stream(origin), id: cursors.get(origin) ?? noId });
      doubtful.add(origin);
    }
  };

  const note = (origin: string, now: Registered | undefined): void => {
    const before = registered.get(origin);
    const { id } = positions.get(origin) ?? { id: noId };
    const isNew = before?.sinceMs !== now?.sinceMs;
    if (isNew || (now && now.last.seq > id.seq) || positions.get(origin)?.aheadOf) doubtful.add(origin);
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
      // Whoever comes later has nothing from before.
      from = "beginning";
      const isForgotten = !isFirst && [...registered.keys()].some((origin) => !origins.has(origin));
      isFirst = false;
      for (const origin of positions.keys()) note(origin, origins.get(origin));
      registered.clear();
      for (const [origin, now] of origins) registered.set(origin, now);
      // A database that has forgotten an origin has forgotten where its readers stand.
      if (isForgotten) await cursors.flush(true);
      const tidy = tidying(origins);
      if (tidy.length > 0) await link.send(tidy, options);
    },
    async read(options) {
      if (positions.size === 0) return { entries: [], isFull: false };
      const all = [...positions.values()];
      const byKey = new Map(all.map((position) => [position.key, position]));
      const streams = [...all.map(({ key }) => key), ...all.map(({ id, foreignId }) => foreignId ?? writeId(id))];
      let reply: Reply;
      try {
        reply = unwrap((await link.send([["XREAD", "COUNT", count, "STREAMS", ...streams]], options))[0]);
      } catch (error) {
        if (!isTransportError(error) || error.kind !== "too-large" || count === 1) throw error;
        count = Math.ceil(count / 4);
        return { entries: [], isFull: true };
      }
      const rows = (reply ?? []) as readonly (readonly [string, readonly StreamEntry[]])[];
      const entries: Found[] = [];
      for (const [key, found] of rows) {
        const position = byKey.get(key);
        if (!position) continue;
        doubtful.delete(position.origin);
        for (const entry of found) entries.push({ position, id: parseId(entry[0]), entry });
      }
      // In the order of time; within an origin time only grows, so its own order stays.
      const timeOf = ({ id }: Found): number => id?.atMs ?? Number.POSITIVE_INFINITY;
      entries.sort((one, other) => Math.sign(timeOf(one) - timeOf(other)) || 0);
      return { entries, isFull: rows.some(([, found]) => found.length >= count) };
    },
    async check(options) {
      const suspects = [...doubtful].flatMap((origin) => positions.get(origin) ?? []);
      if (suspects.length === 0) return [];
      const infos = await link.send(
        suspects.map(({ key }): Command => ["XINFO", "STREAM", key]),
        options,
      );
      doubtful.clear();
      return suspects.flatMap((position, at) => {
        const info = readStreamInfo(infos[at]);
        const gap = gapAtEnd(position, info);
        return gap ? [{ position, gap, last: info.last }] : [];
      });
    },
  };
}
