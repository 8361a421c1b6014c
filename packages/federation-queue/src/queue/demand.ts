import type { QueueKeys, Source } from "./queue-keys.ts";
import { createTurns } from "./turns.ts";

/** So many messages of each of these streams. */
export interface Order {
  readonly sources: readonly Source[];
  readonly count: number;
}

/** What a worker has room for. */
export interface Room {
  readonly count: number;
  /** There are more hands than a trip can feed: a little too much does no harm, and is soon worked on. */
  readonly isQuick: boolean;
  /** Whether there is enough of a stream here already. */
  hasEnough(source: Source): boolean;
}

/** Knows which streams are worth a look, and asks them in fair shares: no more than there is room for, where work is slow. */
export interface Demand {
  /** A stream may have something; without one, all of them. */
  hint(source?: Source): void;
  /** What to ask for, in one trip; it is taken for empty from then on. */
  next(room: Room): readonly Order[];
  /** It gave as much as was asked for: there may be more. */
  isFull(source: Source): void;
}

const mostAtOnce = 100;

export function createDemand({ sources }: QueueKeys): Demand {
  /** May have something. */
  const hinted = new Set<Source>(sources);
  /** Had more than was asked for. */
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
    for (const source of shares.keys()) full.delete(source);
    return [...shares].map(([source, share]) => ({ sources: [source], count: share }));
  };

  return {
    hint(source) {
      if (source === undefined) for (const each of sources) hinted.add(each);
      else hinted.add(source);
    },
    next({ count, isQuick, hasEnough }) {
      if (count < 1) return [];
      if (isQuick) {
        const wanted = sources.filter((source) => (hinted.has(source) || full.has(source)) && !hasEnough(source));
        return together(wanted, count);
      }
      const unknown = sources.filter((source) => hinted.has(source) && !full.has(source));
      if (unknown.length > 0) return together(unknown, Math.max(1, Math.floor(count / unknown.length)));
      return inShares(count);
    },
    isFull(source) {
      full.add(source);
    },
  };
}
