import type { Command } from "@continuum-cache/core";
import { serverTimeMs, unwrap } from "@continuum-cache/core/kit";
import { isHeldAt, noHolder, type Registered, readRegistry } from "../log/registry.ts";
import { noId, readStreamInfo, writeId } from "../log/stream.ts";
import { isAfterId, registerScript } from "./scripts.ts";
import type { RelaySettings } from "./settings.ts";

/** The origins that a relay copies, and how far each is copied to the destination. */
export interface OriginMap {
  readonly cursors: readonly OriginCursor[];
  knows(origin: string): boolean;
  copies(origin: string): boolean;
  /** Asks both sides anew. @throws TransportError or CommandError. */
  refresh(): Promise<void>;
  /** The streams that had nothing to read because their last entries are gone at the source. */
  check(): Promise<readonly StreamEnd[]>;
}

/** How far one origin's stream is copied. */
export interface OriginCursor {
  readonly origin: string;
  readonly key: string;
  /** The last id at the destination. */
  last: string;
}

/** The last id of a stream whose last entries are gone. */
export interface StreamEnd {
  readonly cursor: OriginCursor;
  readonly last: string;
}

/** Called with what the origin map finds. */
export interface OriginMapListener {
  /** The destination has lost events that it had. */
  lostData(origin: string): void;
  /** Processes on both sides hold the same name. */
  conflict(origin: string): void;
}

const longestTrimPauseMs = 3_600_000;
const beginning = writeId(noId);

type Row = readonly [origin: string, registered: Registered];

export function createOriginMap(
  { from, to, keys, retentionMs }: RelaySettings,
  listener: OriginMapListener,
): OriginMap {
  const cursors = new Map<string, OriginCursor>();
  /** Origins whose process is at the destination, which has more of their events than any other place. */
  const local = new Set<string>();
  const conflicts = new Set<string>();
  const registered = new Map<string, Registered>();
  /** Cursors that `check` looks at. */
  const doubtful = new Set<OriginCursor>();
  const trimPauseMs = Math.min(longestTrimPauseMs, retentionMs / 10);
  let trimmedMs = performance.now();

  const readSide = async ({ link }: RelaySettings["from"]) => {
    const [rows, time] = await link.send([["HGETALL", keys.registry], ["TIME"]]);
    return { registry: readRegistry(unwrap(rows)), nowMs: serverTimeMs(unwrap(time)) };
  };
  type Side = Awaited<ReturnType<typeof readSide>>;

  /** The origins to copy: those at the source whose name is not held at the destination. */
  const chooseOrigins = (source: Side, destination: Side): readonly Row[] => {
    const isHeld = ({ registry, nowMs }: Side, origin: string): boolean => {
      const row = registry.get(origin);
      return row !== undefined && isHeldAt(row, nowMs);
    };
    local.clear();
    for (const origin of source.registry.keys()) {
      if (!isHeld(destination, origin)) continue;
      local.add(origin);
      cursors.delete(origin);
      if (!isHeld(source, origin)) conflicts.delete(origin);
      else if (!conflicts.has(origin)) {
        conflicts.add(origin);
        listener.conflict(origin);
      }
    }
    return [...source.registry].filter(([origin]) => !local.has(origin));
  };

  /** Registers the origins at the destination that its readers do not know, or know from an earlier hold. */
  const register = async (copied: readonly Row[], destination: Side): Promise<void> => {
    const unknown = copied.filter(([origin, { sinceMs }]) => {
      const known = destination.registry.get(origin);
      return !known || (known.holder === noHolder && known.sinceMs < sinceMs);
    });
    await Promise.all(
      unknown.map(([origin, { sinceMs, last }]) =>
        to.link.run(registerScript, [keys.registry], [origin, sinceMs, writeId(last)], { together: true }),
      ),
    );
  };

  /** Reads where the destination's streams end, and trims them now and then. */
  const readEnds = async (copied: readonly Row[], nowMs: number): Promise<readonly string[]> => {
    const isTrimDue = performance.now() - trimmedMs >= trimPauseMs;
    const floorMs = Math.max(0, nowMs - retentionMs);
    const commands = copied.flatMap(([origin]): Command[] => {
      const key = keys.stream(origin);
      const info: Command = ["XINFO", "STREAM", key];
      return isTrimDue ? [info, ["XTRIM", key, "MINID", floorMs]] : [info];
    });
    const replies = await to.link.send(commands);
    if (isTrimDue) trimmedMs = performance.now();
    return copied.map((_, at) => readStreamInfo(replies[isTrimDue ? 2 * at : at]).lastId);
  };

  const place = ([origin, now]: Row, last: string): void => {
    const cursor = cursors.get(origin) ?? { origin, key: keys.stream(origin), last: beginning };
    if (!cursors.has(origin)) doubtful.add(cursor);
    cursors.set(origin, cursor);
    if (isAfterId(cursor.last, last)) {
      listener.lostData(origin);
      doubtful.add(cursor);
    }
    cursor.last = last;
    if (registered.get(origin)?.sinceMs !== now.sinceMs || isAfterId(writeId(now.last), last)) doubtful.add(cursor);
    registered.set(origin, now);
  };

  return {
    get cursors() {
      return [...cursors.values()];
    },
    knows: (origin) => cursors.has(origin) || local.has(origin),
    copies: (origin) => cursors.has(origin),
    async refresh() {
      const [source, destination] = await Promise.all([readSide(from), readSide(to)]);
      const copied = chooseOrigins(source, destination);
      await register(copied, destination);
      const ends = await readEnds(copied, destination.nowMs);
      for (const [at, row] of copied.entries()) place(row, ends[at] ?? beginning);
    },
    async check() {
      const suspects = [...doubtful].filter((cursor) => cursors.get(cursor.origin) === cursor);
      const infos = await from.link.send(suspects.map(({ key }): Command => ["XINFO", "STREAM", key]));
      doubtful.clear();
      return suspects.flatMap((cursor, at) => {
        const { lastId: last, lastEntryId } = readStreamInfo(infos[at]);
        // The next read returns the entries that exist.
        const isReadable = lastEntryId !== undefined && isAfterId(lastEntryId, cursor.last);
        return isAfterId(last, cursor.last) && !isReadable ? [{ cursor, last }] : [];
      });
    },
  };
}
