import type { OutboxLimits } from "../shared/outbox.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import { isDropped, type PendingEvent } from "./pending-event.ts";
import { isAfter, isSameId, noId, type StreamId, writeId } from "./stream.ts";

/**
 * What this process knows of its own stream: the accepted events, the numbered events that are still to be sent, and
 * where the stream ends. Numbers have no hole. A number under which an event may have been appended is never given to
 * another.
 */
export interface ProducerWindow {
  /** The id of the last event with a number. */
  readonly last: StreamId;
  /** The id of the last event that Redis accepted. */
  readonly lastAccepted: StreamId;
  /** The id that the stream must end with when the next events are appended. */
  readonly after: string;
  /** The events with a number that Redis has not accepted yet, in order. */
  readonly numbered: readonly PendingEvent[];
  /** Gives numbers to more events. */
  assign(events: readonly PendingEvent[]): void;
  /** The first of the numbered events are in the stream. */
  acknowledge(count: number): void;
  /** Removes the events that no caller waits for, unless that leaves a hole. */
  prune(): void;
  /** Compares with the end of the stream. Accepted events that the stream has lost become numbered events again. */
  reconcile(streamLast: StreamId): Reconciled;
  /** Begins behind this id. @returns the numbered events, in order; their numbers are void. */
  restart(last: StreamId, streamLast: StreamId): readonly PendingEvent[];
}

/** The result of a comparison with the stream. */
export interface Reconciled {
  /** How many of the numbered events are in the stream, though the reply to them was lost. */
  readonly appended: number;
  /** Accepted events that the stream has lost and that this process no longer remembers. */
  readonly lost: number;
  /** The stream ends with an entry that is not of this history: another program has written to it. */
  readonly isForeign: boolean;
}

const nothing: Reconciled = { appended: 0, lost: 0, isForeign: false };

export function createProducerWindow(limits: OutboxLimits, clock: HybridClock): ProducerWindow {
  const acked = createAckedWindow(limits);
  let numbered: PendingEvent[] = [];
  let lastAccepted: StreamId = noId;
  /** The last id of the stream, as far as this process knows. */
  let streamEnd: StreamId = noId;

  const lastNumbered = (): StreamId => numbered.at(-1)?.id ?? lastAccepted;

  const assign = (events: readonly PendingEvent[]): void => {
    for (const event of events) {
      const { atMs, seq } = lastNumbered();
      event.id = { atMs: Math.max(atMs, clock.bounded(event.atMs)), seq: seq + 1 };
      numbered.push(event);
    }
  };

  const repeatAfter = (streamLast: StreamId): Reconciled => {
    const again = acked.takeAfter(streamLast);
    for (const event of again) event.isRepeat = true;
    numbered = [...again, ...numbered];
    const firstSeq = numbered[0]?.id?.seq ?? lastAccepted.seq + 1;
    const lost = Math.max(0, firstSeq - 1 - streamLast.seq);
    streamEnd = streamLast;
    return { ...nothing, lost };
  };

  return {
    get last() {
      return lastNumbered();
    },
    get lastAccepted() {
      return lastAccepted;
    },
    get after() {
      return writeId(streamEnd);
    },
    get numbered() {
      return numbered;
    },
    assign,
    acknowledge(count) {
      for (const event of numbered.splice(0, count)) {
        const { id } = event;
        if (!id) continue;
        if (isAfter(id, lastAccepted)) lastAccepted = id;
        streamEnd = id;
        acked.add(Object.assign(event, { id, isRepeat: false, isFixed: false }));
      }
    },
    prune() {
      if (!numbered.some(isDropped)) return;
      // A number that may be in the stream stays; so do those before it, which would leave a hole.
      const fixed = numbered.findLastIndex(({ isFixed, isSent, isRepeat }) => isFixed || isSent || isRepeat) + 1;
      const loose = numbered.splice(fixed).filter((event) => !isDropped(event));
      assign(loose);
    },
    reconcile(streamLast) {
      if (isSameId(streamLast, streamEnd)) return nothing;
      // One of the sent events whose outcome was unknown: those before it are in the stream too.
      const at = numbered.findIndex(({ id }) => id && isSameId(id, streamLast));
      if (at >= 0) return { ...nothing, appended: at + 1 };
      const isKnown = isSameId(streamLast, lastAccepted) || acked.has(streamLast);
      const first = acked.first()?.id ?? numbered[0]?.id ?? lastAccepted;
      const isEarlier = streamLast.seq < first.seq && !isAfter(streamLast, first);
      // Without a stream numbers go on from the registry.
      if (isKnown || isEarlier || isSameId(streamLast, noId)) return repeatAfter(streamLast);
      return { ...nothing, isForeign: true };
    },
    restart(last, streamLast) {
      const voided = numbered;
      numbered = [];
      acked.clear();
      // An id that another program made may have a later time than any of ours.
      lastAccepted = { atMs: Math.max(last.atMs, streamLast.atMs), seq: last.seq };
      streamEnd = streamLast;
      return voided;
    },
  };
}

/** An event that Redis has accepted. */
type AckedEvent = PendingEvent & { readonly id: StreamId };

/** The latest accepted events, in order and without a hole: what a failover has lost is appended again from here. */
function createAckedWindow({ maxItems, maxBytes }: OutboxLimits) {
  let items: AckedEvent[] = [];
  /** Items before this index are forgotten. */
  let head = 0;
  let bytes = 0;

  const indexOf = (seq: number): number => {
    const first = items[head];
    return first ? head + seq - first.id.seq : -1;
  };
  const forget = (): void => {
    while (items.length - head > maxItems || (bytes > maxBytes && head < items.length)) {
      bytes -= items[head]?.bytes ?? 0;
      head++;
    }
    // The list is compacted once half of it is forgotten, so that forgetting an event is cheap on average.
    if (head * 2 < items.length) return;
    items = items.slice(head);
    head = 0;
  };

  return {
    first: (): AckedEvent | undefined => items[head],
    add(item: AckedEvent): void {
      if (maxItems === 0) return;
      items.push(item);
      bytes += item.bytes;
      forget();
    },
    has(id: StreamId): boolean {
      const at = indexOf(id.seq);
      const found = at >= head ? items[at] : undefined;
      return found !== undefined && isSameId(found.id, id);
    },
    /** Removes and returns the events behind this one. */
    takeAfter({ seq }: StreamId): readonly AckedEvent[] {
      const at = Math.max(head, indexOf(seq + 1));
      if (items.length === head) return [];
      const taken = items.splice(at);
      for (const item of taken) bytes -= item.bytes;
      return taken;
    },
    clear(): void {
      items = [];
      head = 0;
      bytes = 0;
    },
  };
}
