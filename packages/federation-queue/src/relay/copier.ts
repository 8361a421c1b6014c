import { type Argument, type Command, isTransportError } from "@continuum-cache/core";
import type { StreamEntry } from "../log/entry-fields.ts";
import { gapAtEnd, gapBefore } from "../log/position.ts";
import { isSameId, noId, parseId } from "../log/stream-id.ts";
import type { LogGap } from "../log/types.ts";
import { unwrap } from "../shared/replies.ts";
import { copyScript, readCopyAnswer } from "./copy-script.ts";
import type { Ending, Lane } from "./route.ts";
import type { RelaySettings } from "./settings.ts";

/** Brings entries from one side to the other. */
export interface Copier {
  /** One page of all lanes; tells whether there may be more. @throws TransportError or CommandError. */
  copyPage(lanes: readonly Lane[]): Promise<boolean>;
  /** Lets streams end at the destination where they end at the source. */
  finish(endings: readonly Ending[]): Promise<void>;
}

/** Told of what was brought. */
export interface CopierListener {
  copied(origin: string, count: number): void;
  gap(gap: LogGap): void;
  /** The destination has lost what it had. */
  wentBack(origin: string): void;
}

/** What one trip carries of a stream; one entry may be larger. */
const mostTripLength = 256 << 10;
const mostWords = 2_000;

type Word = string | Uint8Array;

/** Entries of one lane that are yet to be brought. */
interface Load {
  readonly lane: Lane;
  readonly entries: readonly StreamEntry[];
  at: number;
}

export function createCopier({ from, to, retentionMs, batch }: RelaySettings, listener: CopierListener): Copier {
  let count = batch;

  const read = async (lanes: readonly Lane[]): Promise<readonly Load[] | undefined> => {
    const streams = [...lanes.map(({ key }) => key), ...lanes.map(({ last }) => last)];
    try {
      const [reply] = await from.link.send([["XREAD", "COUNT", count, "STREAMS", ...streams] as Command]);
      const rows = (unwrap(reply) ?? []) as readonly (readonly [string, readonly StreamEntry[]])[];
      return rows.flatMap(([key, entries]) => {
        const lane = lanes.find((one) => one.key === key);
        return lane && entries.length > 0 ? [{ lane, entries, at: 0 }] : [];
      });
    } catch (error) {
      if (!isTransportError(error) || error.kind !== "too-large" || count === 1) throw error;
      count = Math.ceil(count / 4);
      return undefined;
    }
  };

  /** Nothing that its origin would keep is cut off, and nothing is kept that no clock would. */
  const floorOf = (entries: readonly StreamEntry[]): Argument => {
    const firstMs = parseId(entries[0]?.[0])?.atMs ?? 0;
    const floorMs = Math.min(firstMs, Date.now()) - retentionMs;
    return floorMs > 0 ? floorMs : "";
  };

  const tellGap = (lane: Lane, entry: StreamEntry): void => {
    const [before, id] = [parseId(lane.last), parseId(entry[0])];
    if (!before || !id || isSameId(before, noId) || id.seq === 0) return;
    const gap = gapBefore({ origin: lane.origin, key: lane.key, id: before }, id);
    if (gap) listener.gap(gap);
  };

  /** Brings as much of one lane as a trip carries; tells whether to go on with it. */
  const bring = async (load: Load): Promise<boolean> => {
    const { lane, entries } = load;
    const part = partOf(entries.slice(load.at));
    const [first] = part;
    if (!first) return false;
    const words = part.flatMap(([id, fields]): Argument[] => [
      id,
      fields?.length ?? 0,
      ...((fields ?? []) as readonly Word[]),
    ]);
    const answer = readCopyAnswer(
      await to.link.run(copyScript, [lane.key], [lane.last, floorOf(part), "", ...words], { together: true }),
    );
    if (answer.isBack) {
      lane.last = answer.last;
      listener.wentBack(lane.origin);
      return false;
    }
    if (answer.added > 0) {
      tellGap(lane, first);
      listener.copied(lane.origin, answer.added);
    }
    lane.last = answer.last;
    load.at += part.length;
    return load.at < entries.length;
  };

  return {
    async copyPage(lanes) {
      if (lanes.length === 0) return false;
      let loads: readonly Load[] | undefined = await read(lanes);
      if (!loads) return true;
      const isFull = loads.some(({ entries }) => entries.length >= count);
      let wentBack = false;
      while (loads.length > 0) {
        const goOn: readonly boolean[] = await Promise.all(loads.map(bring));
        wentBack ||= loads.some((load, index) => !goOn[index] && load.at < load.entries.length);
        loads = loads.filter((_, index) => goOn[index]);
      }
      if (!isFull) count = batch;
      return isFull || wentBack;
    },
    async finish(endings) {
      const finishOne = async ({ lane, last }: Ending): Promise<void> => {
        const answer = readCopyAnswer(
          await to.link.run(copyScript, [lane.key], [lane.last, "", last], { together: true }),
        );
        const [before, now] = [parseId(lane.last), parseId(last)];
        lane.last = answer.last;
        if (answer.isBack) return listener.wentBack(lane.origin);
        if (!before || !now || isSameId(before, noId)) return;
        const { origin, key } = lane;
        const gap = gapAtEnd({ origin, key, id: before }, { last: now, lastEntry: undefined });
        if (gap) listener.gap(gap);
      };
      await Promise.all(endings.map(finishOne));
    },
  };
}

/** The first of these, as many as one trip may carry. */
function partOf(entries: readonly StreamEntry[]): readonly StreamEntry[] {
  let length = 0;
  let words = 0;
  for (const [at, [, fields]] of entries.entries()) {
    words += 2 + (fields?.length ?? 0);
    for (const word of (fields ?? []) as readonly Word[]) length += word.length;
    if (at > 0 && (length > mostTripLength || words > mostWords)) return entries.slice(0, at);
  }
  return entries;
}
