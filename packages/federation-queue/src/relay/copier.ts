import type { Argument } from "@continuum-cache/core";
import { gapAtEnd, gapBefore } from "../log/reader.ts";
import { createStreamReader, isSameId, noId, parseId, type StreamEntry } from "../log/stream.ts";
import type { LogGap } from "../log/types.ts";
import type { OriginCursor, StreamEnd } from "./origin-map.ts";
import { type CopyAnswer, copyScript, readCopyAnswer } from "./scripts.ts";
import type { RelaySettings } from "./settings.ts";

/** Copies entries from one side to the other. */
export interface Copier {
  /** Copies one page of all origins. @returns whether there may be more. @throws TransportError or CommandError. */
  copyPage(cursors: readonly OriginCursor[]): Promise<boolean>;
  /** Makes streams end at the destination where they end at the source. */
  finish(ends: readonly StreamEnd[]): Promise<void>;
}

/** Called with what was copied. */
export interface CopierListener {
  copied(origin: string, count: number): void;
  gap(gap: LogGap): void;
  /** The destination has lost events that it had. */
  lostData(origin: string): void;
}

/** What one round trip carries of a stream; one entry may be larger. */
const mostBatchLength = 256 << 10;
const mostWords = 2_000;

type Word = string | Uint8Array;

/** Entries of one origin that are still to be copied. */
interface Load {
  readonly cursor: OriginCursor;
  readonly entries: readonly StreamEntry[];
  at: number;
}

export function createCopier({ from, to, retentionMs, batch }: RelaySettings, listener: CopierListener): Copier {
  const streams = createStreamReader(from.link, batch);

  /** Trims nothing that the origin would keep, and keeps nothing that no clock would. */
  const floorOf = (entries: readonly StreamEntry[]): Argument => {
    const firstMs = parseId(entries[0]?.[0])?.atMs ?? 0;
    const floorMs = Math.min(firstMs, Date.now()) - retentionMs;
    return floorMs > 0 ? floorMs : "";
  };
  const runCopy = async ({ key }: OriginCursor, args: readonly Argument[]): Promise<CopyAnswer> =>
    readCopyAnswer(await to.link.run(copyScript, [key], args, { together: true }));

  const reportGap = ({ last, origin, key }: OriginCursor, entry: StreamEntry): void => {
    const [before, id] = [parseId(last), parseId(entry[0])];
    if (!before || !id || isSameId(before, noId) || id.seq === 0) return;
    const gap = gapBefore({ origin, key, id: before }, id);
    if (gap) listener.gap(gap);
  };

  /** Copies as much of one origin as a batch carries. @returns whether to go on with it. */
  const copyBatch = async (load: Load): Promise<boolean> => {
    const { cursor, entries } = load;
    const part = batchOf(entries.slice(load.at));
    const [first] = part;
    if (!first) return false;
    const words = part.flatMap(([id, fields]): Argument[] => [
      id,
      fields?.length ?? 0,
      ...((fields ?? []) as readonly Word[]),
    ]);
    const answer = await runCopy(cursor, [cursor.last, floorOf(part), "", ...words]);
    if (answer.isBack) listener.lostData(cursor.origin);
    else if (answer.added > 0) {
      reportGap(cursor, first);
      listener.copied(cursor.origin, answer.added);
    }
    cursor.last = answer.last;
    if (answer.isBack) return false;
    load.at += part.length;
    return load.at < entries.length;
  };

  const finishOne = async ({ cursor, last }: StreamEnd): Promise<void> => {
    const { origin, key } = cursor;
    const [before, now] = [parseId(cursor.last), parseId(last)];
    const answer = await runCopy(cursor, [cursor.last, "", last]);
    cursor.last = answer.last;
    if (answer.isBack) return listener.lostData(origin);
    if (!before || !now || isSameId(before, noId)) return;
    const gap = gapAtEnd({ origin, key, id: before }, { last: now, lastEntry: undefined });
    if (gap) listener.gap(gap);
  };

  return {
    async copyPage(cursors) {
      if (cursors.length === 0) return false;
      const { rows, isFull } = await streams.read(cursors.map(({ key, last }) => ({ key, id: last })));
      let loads: readonly Load[] = rows.flatMap(([key, entries]) => {
        const cursor = cursors.find((one) => one.key === key);
        return cursor && entries.length > 0 ? [{ cursor, entries, at: 0 }] : [];
      });
      let wentBack = false;
      while (loads.length > 0) {
        const goOn: readonly boolean[] = await Promise.all(loads.map(copyBatch));
        wentBack ||= loads.some((load, index) => !goOn[index] && load.at < load.entries.length);
        loads = loads.filter((_, index) => goOn[index]);
      }
      if (!isFull) streams.reset();
      return isFull || wentBack;
    },
    async finish(ends) {
      await Promise.all(ends.map(finishOne));
    },
  };
}

/** The first of these entries, as many as one batch may carry. */
function batchOf(entries: readonly StreamEntry[]): readonly StreamEntry[] {
  let length = 0;
  let words = 0;
  for (const [at, [, fields]] of entries.entries()) {
    words += 2 + (fields?.length ?? 0);
    for (const word of (fields ?? []) as readonly Word[]) length += word.length;
    if (at > 0 && (length > mostBatchLength || words > mostWords)) return entries.slice(0, at);
  }
  return entries;
}
