import type { AcceptedPush, AcceptedPushes } from "../accepted-pushes.ts";

/** An accepted push, and when it was accepted, by `performance.now()`. */
export interface RecentPush extends AcceptedPush {
  readonly atMs: number;
}

/** The latest pushes of this process: at most 10,000 and 8 MiB, or those of a single larger command. */
export interface RecentPushes {
  readonly isEmpty: boolean;
  add(pushes: AcceptedPushes, atMs: number): void;
  /** The messages of these ids are done, now or at `atMs`. A later push of such an id is another message. */
  forget(ids: readonly string[], atMs?: number): void;
  isForgotten(push: RecentPush): boolean;
  /** Drops pushes in bulk if all of them were accepted before this. */
  dropBefore(atMs: number): void;
  /** Per message id the latest push that was accepted since then and is not forgotten; the latest first. */
  since(atMs: number): readonly RecentPush[];
}

const mostOfGeneration = 5_000;
const mostBytesOfGeneration = 4 << 20;
/** The forgotten ids are not pruned while there are fewer. */
const leastPruned = 10_000;

/**
 * Pushes and forgotten ids of one span of time. Generations are dropped as a whole: a lookup per message would be slow.
 */
interface Generation {
  readonly steps: { readonly pushes: AcceptedPushes; readonly atMs: number }[];
  /** When each message was done. */
  readonly forgotten: Map<string, number>;
  count: number;
  bytes: number;
}

const newGeneration = (): Generation => ({ steps: [], forgotten: new Map(), count: 0, bytes: 0 });

export function createRecentPushes(): RecentPushes {
  let older = newGeneration();
  let newer = newGeneration();
  let mostForgotten = leastPruned;

  const isEmpty = (): boolean => newer.steps.length + older.steps.length === 0;
  /** Drops forgotten ids that were pushed by other processes. */
  const prune = (): void => {
    const ids = new Set<string>();
    for (const { steps } of [older, newer]) for (const { pushes } of steps) for (const id of pushes.ids()) ids.add(id);
    for (const { forgotten } of [older, newer]) {
      for (const id of forgotten.keys()) if (!ids.has(id)) forgotten.delete(id);
    }
    mostForgotten = newer.forgotten.size + leastPruned;
  };
  const turnOver = (): void => {
    older = newer;
    newer = newGeneration();
    mostForgotten = leastPruned;
  };
  const isForgotten = ({ push, atMs }: RecentPush): boolean =>
    (newer.forgotten.get(push.id) ?? older.forgotten.get(push.id) ?? Number.NEGATIVE_INFINITY) >= atMs;
  const latestFirst = function* (): Generator<RecentPush> {
    for (const { pushes, atMs } of [...older.steps, ...newer.steps].reverse()) {
      for (const accepted of [...pushes.each()].reverse()) yield { ...accepted, atMs };
    }
  };

  return {
    get isEmpty() {
      return isEmpty();
    },
    add(pushes, atMs) {
      newer.steps.push({ pushes, atMs });
      newer.count += pushes.count;
      newer.bytes += pushes.bytes;
      if (newer.count >= mostOfGeneration || newer.bytes >= mostBytesOfGeneration) turnOver();
    },
    forget(ids, atMs = performance.now()) {
      if (isEmpty()) return;
      for (const id of ids) newer.forgotten.set(id, atMs);
      if (newer.forgotten.size > mostForgotten) prune();
    },
    isForgotten,
    dropBefore(atMs) {
      if (older.steps.length > 0 && (older.steps.at(-1)?.atMs ?? 0) < atMs) {
        older = { ...newGeneration(), forgotten: older.forgotten };
      }
      if (newer.steps.length > 0 && (newer.steps[0]?.atMs ?? 0) < atMs) turnOver();
      if (older.forgotten.size + newer.forgotten.size > 0) prune();
    },
    since(atMs) {
      const found = new Map<string, RecentPush>();
      for (const recent of latestFirst()) {
        if (recent.atMs < atMs) break;
        if (!found.has(recent.push.id) && !isForgotten(recent)) found.set(recent.push.id, recent);
      }
      return [...found.values()];
    },
  };
}
