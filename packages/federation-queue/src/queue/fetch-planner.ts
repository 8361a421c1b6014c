import { type LeaseRecord, type Leases, maxInFlight } from "./leases.ts";
import type { PriorityStream } from "./settings.ts";

/** The most messages to read from each of these streams. */
export interface FetchRequest {
  readonly streams: readonly PriorityStream[];
  readonly count: number;
}

/**
 * Plans what a worker fetches next: fair shares of the streams, and, where handlers are slow, no more than they finish
 * soon.
 */
export interface FetchPlanner {
  /** The streams that may have messages: all at first, then those that a notification or a full reply names. */
  readonly hinted: Set<PriorityStream>;
  /** The stream gave as many messages as it was asked for: it may have more. */
  wasFull(stream: PriorityStream): void;
  /**
   * @param running - How many handlers are running.
   * @param leases - Say how many more messages this process may take.
   * @returns the requests of one round trip. Their streams count as empty from then on.
   */
  plan(
    running: number,
    buffer: Pick<MessageBuffer<unknown>, "size" | "sizeOf">,
    leases: Pick<Leases<unknown>, "room" | "known">,
  ): readonly FetchRequest[];
  fetchTook(ms: number): void;
  handlerTook(ms: number): void;
}

const mostPerStream = 100;

export function createFetchPlanner(streams: readonly PriorityStream[], concurrency: number): FetchPlanner {
  const prefetch = createPrefetch(concurrency);
  const turns = createWeightedRoundRobin();
  const hinted = new Set(streams);
  /** Those hinted streams that have more for sure. */
  const full = new Set<PriorityStream>();

  const request = (of: readonly PriorityStream[], count: number): FetchRequest => {
    for (const stream of of) {
      hinted.delete(stream);
      full.delete(stream);
    }
    return { streams: of, count: Math.min(mostPerStream, count) };
  };
  const inShares = (count: number): readonly FetchRequest[] => {
    const shares = new Map<PriorityStream, number>();
    for (let given = 0; given < Math.min(mostPerStream, count); given++) {
      const stream = turns.next(full);
      if (stream) shares.set(stream, (shares.get(stream) ?? 0) + 1);
    }
    return [...shares].map(([stream, share]) => request([stream], share));
  };

  return {
    hinted,
    wasFull(stream) {
      hinted.add(stream);
      full.add(stream);
    },
    plan(running, buffer, leases) {
      const ahead = prefetch.ahead();
      const wanted = concurrency + ahead - running - buffer.size;
      // A small refill costs as much as a large one.
      if (wanted < 1 || (running >= concurrency && buffer.size > ahead / 2)) return [];
      // Nearly always no other lease is known, and there is room: then they are not counted.
      const most = wanted * streams.length;
      const { size } = leases.known;
      const room = size <= running + buffer.size && size + most <= maxInFlight ? most : leases.room();
      const count = Math.min(wanted, Math.floor(room / streams.length));
      if (count < 1) return [];
      if (ahead >= concurrency) {
        // Handlers are faster than fetches: what is fetched too much is worked on soon.
        const short = streams.filter((stream) => hinted.has(stream) && buffer.sizeOf(stream) <= ahead / 2);
        return short.length > 0 ? [request(short, count)] : [];
      }
      const unknown = streams.filter((stream) => hinted.has(stream) && !full.has(stream));
      if (unknown.length > 0) return [request(unknown, Math.max(1, Math.floor(count / unknown.length)))];
      return inShares(count);
    },
    fetchTook: prefetch.fetchTook,
    handlerTook: prefetch.handlerTook,
  };
}

/** Messages that wait for a handler, by stream. */
export interface MessageBuffer<Event> {
  readonly size: number;
  sizeOf(stream: PriorityStream): number;
  add(stream: PriorityStream, records: readonly LeaseRecord<Event>[]): void;
  /** Takes the next message to work on: the retry stream first, then each priority by its weight. */
  next(): LeaseRecord<Event> | undefined;
  /** Removes the messages taken before this time, and those that `next` has skipped. */
  removeBefore(takenMs: number): readonly LeaseRecord<Event>[];
}

export function createMessageBuffer<Event>(leaseMs: number): MessageBuffer<Event> {
  /** No list is empty. Each is in the order in which its messages were taken. */
  const lists = new Map<PriorityStream, LeaseRecord<Event>[]>();
  const turns = createWeightedRoundRobin();
  /** Skipped: too little of their lease is left to extend it in time. */
  let expiring: LeaseRecord<Event>[] = [];

  const shift = (): LeaseRecord<Event> | undefined => {
    const stream = turns.next(lists.keys());
    const list = stream && lists.get(stream);
    if (stream && list?.length === 1) lists.delete(stream);
    return list?.shift();
  };

  const buffer = {
    size: 0,
    sizeOf: (stream: PriorityStream) => lists.get(stream)?.length ?? 0,
    add(stream: PriorityStream, records: readonly LeaseRecord<Event>[]) {
      if (records.length === 0) return;
      buffer.size += records.length;
      const list = lists.get(stream);
      if (list) list.push(...records);
      else lists.set(stream, [...records]);
    },
    next() {
      for (let record = shift(); record; record = shift()) {
        if (record.expiresMs - performance.now() < leaseMs / 2) expiring.push(record);
        else {
          buffer.size--;
          if (record.state === "held") return record;
        }
      }
      return undefined;
    },
    removeBefore(takenMs: number) {
      const removed = expiring;
      expiring = [];
      for (const [stream, list] of lists) {
        const count = list.findIndex((record) => record.takenMs >= takenMs);
        removed.push(...list.splice(0, count < 0 ? list.length : count));
        if (list.length === 0) lists.delete(stream);
      }
      buffer.size -= removed.length;
      return removed;
    },
  };
  return buffer;
}

const mostAhead = 200;
/** The weight of the latest value in the moving averages. */
const weight = 0.1;
/** Added to the time of a fetch. */
const slackMs = 2;
/**
 * Slow handlers get messages ahead for this share of their time, so that not every message costs a fetch of its own.
 */
const shareOfHandler = 0.1;
const longestAheadMs = 250;

/**
 * How many messages are fetched before a handler is free: as many as handlers finish during a fetch, or in a small part
 * of their own time. So slow handlers keep nothing from other workers, and fast handlers never wait.
 */
function createPrefetch(concurrency: number) {
  let fetchMs = 0;
  let handlerMs: number | undefined;
  const average = (known: number, ms: number): number => known + weight * (ms - known);
  return {
    ahead(): number {
      if (handlerMs === undefined) return 0;
      const aheadMs = Math.max(2 * fetchMs + slackMs, Math.min(longestAheadMs, shareOfHandler * handlerMs));
      return Math.min(mostAhead, Math.floor((concurrency * aheadMs) / Math.max(handlerMs, 0.01)));
    },
    fetchTook(ms: number): void {
      fetchMs = fetchMs === 0 ? ms : average(fetchMs, ms);
    },
    handlerTook(ms: number): void {
      handlerMs = handlerMs === undefined ? ms : average(handlerMs, ms);
    },
  };
}

/** Smooth weighted round robin: streams take turns in proportion to their weights, evenly spread, and none starves. */
function createWeightedRoundRobin() {
  const credits = new Map<PriorityStream, number>();
  return {
    /** The retry stream goes first. Undefined if there are no candidates. */
    next(candidates: Iterable<PriorityStream>): PriorityStream | undefined {
      let chosen: PriorityStream | undefined;
      let most = Number.NEGATIVE_INFINITY;
      let total = 0;
      for (const stream of candidates) {
        if (stream.priority === undefined) return stream;
        const credit = (credits.get(stream) ?? 0) + stream.weight;
        credits.set(stream, credit);
        total += stream.weight;
        if (credit > most) [chosen, most] = [stream, credit];
      }
      if (chosen) credits.set(chosen, most - total);
      return chosen;
    },
  };
}
