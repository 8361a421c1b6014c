import type { OutboxLimits } from "../shared/outbox.ts";
import { createRemembered, type Numbered } from "./acked-window.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import { isDropped, type LogItem } from "./pending-event.ts";
import { isAfter, isSameId, noId, type StreamId, writeId } from "./stream.ts";

/**
 * What this process knows of its own stream: what was accepted, what has a number and is to be sent, and where the server
 * is. Numbers have no hole, and a number under which something may have arrived is never another event's.
 */
export interface OwnHistory {
  /** The last event with a number. */
  readonly last: StreamId;
  /** The last event that was accepted. */
  readonly base: StreamId;
  /** The id that the stream must end with for the next events to follow. */
  readonly after: string;
  /** Those that have a number, in order. */
  readonly numbered: readonly LogItem[];
  /** Gives numbers to more. */
  number(items: readonly LogItem[]): void;
  /** The first of the numbered are in the stream. */
  accepted(count: number): void;
  /** Takes away what nobody wants, where that leaves no hole. */
  prune(): void;
  /** The stream ends with this: whatever of ours is not there is numbered again. @returns what can't be mended. */
  reconcile(streamLast: StreamId): Reconciled;
  /** Begins behind this. @returns what had numbers, in order, which are void. */
  restart(last: StreamId, streamLast: StreamId): readonly LogItem[];
}

/** What became of a comparison with the server. */
export interface Reconciled {
  /** So many of the numbered are there, though nobody had heard of it. */
  readonly arrived: number;
  /** Events that were lost and are no longer remembered. */
  readonly lost: number;
  /** The stream ends with what is not of this history: somebody else has written to it. */
  readonly isForeign: boolean;
}

const nothing: Reconciled = { arrived: 0, lost: 0, isForeign: false };

type Accepted = LogItem & Numbered;

export function createOwnHistory(limits: OutboxLimits, clock: HybridClock): OwnHistory {
  const remembered = createRemembered<Accepted>(limits);
  let numbered: LogItem[] = [];
  /** The last event that was accepted. */
  let base: StreamId = noId;
  /** The last id of the stream, as far as is known. */
  let server: StreamId = noId;

  const lastOf = (): StreamId => numbered.at(-1)?.id ?? base;
  const next = ({ atMs, seq }: StreamId, item: LogItem): StreamId => ({
    atMs: Math.max(atMs, clock.bounded(item.atMs)),
    seq: seq + 1,
  });

  const number = (items: readonly LogItem[]): void => {
    for (const item of items) {
      item.id = next(lastOf(), item);
      numbered.push(item);
    }
  };

  const mend = (streamLast: StreamId): Reconciled => {
    const again = remembered.takeAfter(streamLast);
    for (const item of again) item.isRepeat = true;
    numbered = [...again, ...numbered];
    const firstSeq = numbered[0]?.id?.seq ?? base.seq + 1;
    const lost = Math.max(0, firstSeq - 1 - streamLast.seq);
    server = streamLast;
    return { arrived: 0, lost, isForeign: false };
  };

  return {
    get last() {
      return lastOf();
    },
    get base() {
      return base;
    },
    get after() {
      return writeId(server);
    },
    get numbered() {
      return numbered;
    },
    number,
    accepted(count) {
      for (const item of numbered.splice(0, count)) {
        const { id } = item;
        if (!id) continue;
        if (isAfter(id, base)) base = id;
        server = id;
        remembered.add(Object.assign(item, { id, isRepeat: false, isFixed: false }));
      }
    },
    prune() {
      if (!numbered.some(isDropped)) return;
      // A number that may have arrived stays; what is before such a one can't be left out either.
      const fixed = numbered.findLastIndex(({ isFixed, isSent, isRepeat }) => isFixed || isSent || isRepeat) + 1;
      const loose = numbered.splice(fixed).filter((item) => !isDropped(item));
      number(loose);
    },
    reconcile(streamLast) {
      if (isSameId(streamLast, server)) return nothing;
      // One of those that were sent, with an outcome that nobody knew: what is before it is there too.
      const at = numbered.findIndex(({ id }) => id && isSameId(id, streamLast));
      if (at >= 0) return { ...nothing, arrived: at + 1 };
      const known = isSameId(streamLast, base) || remembered.has(streamLast);
      if (known) return mend(streamLast);
      const first = remembered.first?.id ?? numbered[0]?.id ?? base;
      const isEarlier = streamLast.seq < first.seq && !isAfter(streamLast, first);
      // Numbers go on from the registry where the stream itself is gone.
      if (isEarlier || isSameId(streamLast, noId)) return mend(streamLast);
      return { ...nothing, isForeign: true };
    },
    restart(last, streamLast) {
      const voided = numbered;
      numbered = [];
      remembered.clear();
      // An id that somebody else made may have a later time than any of ours.
      base = { atMs: Math.max(last.atMs, streamLast.atMs), seq: last.seq };
      server = streamLast;
      return voided;
    },
  };
}
