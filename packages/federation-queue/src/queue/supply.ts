import type { Held } from "./leases.ts";
import type { QueueKeys, Source } from "./queue-keys.ts";
import type { Taken } from "./reader.ts";

/** So many messages of each of these streams. */
export interface Order {
  readonly sources: readonly Source[];
  readonly count: number;
}

/**
 * The messages of a worker that its handlers have yet to begin with, and what it asks for next: fair shares of the
 * streams, and no more than its handlers finish soon where they are slow.
 */
export interface Supply<Event> {
  /** How many leases are here that no handler works on. */
  readonly size: number;
  /**
   * Adds what a round trip has brought, by stream.
   *
   * @param tookMs - How long the trip took.
   * @returns whether it brought anything.
   */
  add(found: ReadonlyMap<Source, Taken<Event>>, tookMs: number): boolean;
  /** The next lease to work on: what came back first, then each priority in proportion to its weight. */
  next(): Held<Event> | undefined;
  /** Takes away the leases that were taken before a time, and those that `next` has found to be too late to work on. */
  removeBefore(takenMs: number): readonly Held<Event>[];
  /** The streams that may have something: what hears of one adds it. All of them in the beginning. */
  readonly hinted: Set<Source>;
  /**
   * What to ask for now, in one round trip, of the streams that are hinted; they are taken for empty from then on.
   *
   * @param running - How many handlers are at work.
   * @param mostInAll - How many messages it may take.
   */
  orders(running: number, mostInAll: () => number): readonly Order[];
  /** A handler has worked so long on a message. */
  handlerTook(ms: number): void;
}

const mostAtOnce = 100;

export function createSupply<Event>({ sources }: QueueKeys, concurrency: number, leaseMs: number): Supply<Event> {
  /** Taken up too late. */
  let late: Held<Event>[] = [];
  const waiting = createBuffers<Event>();
  const prefetch = createPrefetch(concurrency);
  const hinted = new Set<Source>(sources);
  /** Those of them that had more than was asked for. */
  const full = new Set<Source>();
  const turns = createTurns();

  const together = (of: readonly Source[], count: number): readonly Order[] => {
    if (of.length === 0 || count < 1) return [];
    for (const source of of) {
      hinted.delete(source);
      full.delete(source);
    }
    return [{ sources: of, count: Math.min(mostAtOnce, count) }];
  };

  const inShares = (count: number): readonly Order[] => {
    const shares = new Map<Source, number>();
    for (let given = 0; given < Math.min(mostAtOnce, count); given++) {
      const source = turns.next(full);
      if (source) shares.set(source, (shares.get(source) ?? 0) + 1);
    }
    for (const source of shares.keys()) {
      hinted.delete(source);
      full.delete(source);
    }
    return [...shares].map(([source, share]) => ({ sources: [source], count: share }));
  };

  const supply: Supply<Event> & { size: number } = {
    size: 0,
    add(found, tookMs) {
      prefetch.tripTook(tookMs);
      let isAny = false;
      for (const [source, { leases, isFull }] of found) {
        if (isFull) {
          hinted.add(source);
          full.add(source);
        }
        if (leases.length === 0) continue;
        waiting.add(source, leases);
        supply.size += leases.length;
        isAny = true;
      }
      return isAny;
    },
    next() {
      while (supply.size > late.length) {
        const held = waiting.next() as Held<Event>;
        // Too little is left of its time for it to be extended for sure.
        if (held.expiresMs - performance.now() < leaseMs / 2) late.push(held);
        else {
          supply.size--;
          if (held.state === "held") return held;
        }
      }
      return undefined;
    },
    removeBefore(takenMs) {
      const removed = [...late, ...waiting.removeBefore(takenMs)];
      late = [];
      supply.size -= removed.length;
      return removed;
    },
    handlerTook: prefetch.handlerTook,
    hinted,
    orders(running, mostInAll) {
      const ahead = prefetch.ahead();
      const size = supply.size - late.length;
      const room = concurrency + ahead - running - size;
      // Small refills cost as much as large ones.
      if (room < 1 || (running >= concurrency && size > ahead / 2)) return [];
      const count = Math.min(room, Math.floor(mostInAll() / sources.length));
      if (count < 1) return [];
      if (ahead >= concurrency) {
        // There are more handlers than a trip can feed: a little too much does no harm, and is soon worked on.
        const hasEnough = (source: Source): boolean => waiting.sizeOf(source) > ahead / 2;
        return together(
          sources.filter((source) => hinted.has(source) && !hasEnough(source)),
          count,
        );
      }
      const unknown = sources.filter((source) => hinted.has(source) && !full.has(source));
      if (unknown.length > 0) return together(unknown, Math.max(1, Math.floor(count / unknown.length)));
      return inShares(count);
    },
  };
  return supply;
}

/** Leases by the stream that they came from. */
function createBuffers<Event>() {
  /** None of them is empty. Each is in the order in which it was taken. */
  const queues = new Map<Source, Held<Event>[]>();
  const turns = createTurns();

  return {
    sizeOf: (source: Source): number => queues.get(source)?.length ?? 0,
    add(source: Source, leases: readonly Held<Event>[]): void {
      const queue = queues.get(source);
      if (queue) queue.push(...leases);
      else queues.set(source, [...leases]);
    },
    next(): Held<Event> | undefined {
      const source = turns.next(queues.keys());
      const queue = source && queues.get(source);
      const held = queue?.shift();
      if (source && queue?.length === 0) queues.delete(source);
      return held;
    },
    removeBefore(takenMs: number): readonly Held<Event>[] {
      const removed: Held<Event>[] = [];
      for (const [source, queue] of queues) {
        const count = queue.findIndex((held) => held.takenMs >= takenMs);
        removed.push(...queue.splice(0, count < 0 ? queue.length : count));
        if (queue.length === 0) queues.delete(source);
      }
      return removed;
    },
  };
}

const mostAhead = 200;
/** The share of the latest in what is remembered. */
const share = 0.1;
/** Beside the trip itself: what may come between. */
const slackMs = 2;
/** Where handlers take long, so much of their time, so that not each message costs a trip of its own; but no longer. */
const shareOfHandler = 0.1;
const longestMs = 250;

/**
 * How many messages are taken before a handler is free for them: as many as handlers finish while a trip is under way
 * or in a small part of their own time, so that slow work holds nothing back from other workers, and quick work never
 * waits.
 */
function createPrefetch(concurrency: number) {
  let tripMs = 0;
  let handlerMs: number | undefined;
  const smooth = (known: number, ms: number): number => known + share * (ms - known);
  return {
    ahead(): number {
      if (handlerMs === undefined) return 0;
      const aheadMs = Math.max(2 * tripMs + slackMs, Math.min(longestMs, shareOfHandler * handlerMs));
      return Math.min(mostAhead, Math.floor((concurrency * aheadMs) / Math.max(handlerMs, 0.01)));
    },
    tripTook(ms: number): void {
      tripMs = tripMs === 0 ? ms : smooth(tripMs, ms);
    },
    handlerTook(ms: number): void {
      handlerMs = handlerMs === undefined ? ms : smooth(handlerMs, ms);
    },
  };
}

/** Takes turns among streams, in proportion to their weights and evenly spread, so that none starves. */
function createTurns() {
  /** How much each stream is owed. */
  const credits = new Map<Source, number>();
  return {
    /** The stream whose turn it is: what came back goes before all. Undefined where there are no candidates. */
    next(candidates: Iterable<Source>): Source | undefined {
      let chosen: Source | undefined;
      let most = Number.NEGATIVE_INFINITY;
      let total = 0;
      for (const source of candidates) {
        if (source.priority === undefined) return source;
        const credit = (credits.get(source) ?? 0) + source.weight;
        credits.set(source, credit);
        total += source.weight;
        if (credit > most) [chosen, most] = [source, credit];
      }
      if (chosen) credits.set(chosen, most - total);
      return chosen;
    },
  };
}
