import type { Outgoing } from "./outgoing.ts";

/** A push that Redis has accepted. */
export interface AcceptedPush {
  readonly out: Outgoing;
  readonly entryId: string;
}

/**
 * Pushes that Redis has accepted in one step. As long as nothing goes wrong they are only held, and most of them are held long
 * enough for the collector of garbage to move them twice: a few long texts are moved faster than objects for each push.
 */
export interface AcceptedPushes {
  readonly count: number;
  /** What they take in this process. */
  readonly bytes: number;
  /** Of the messages, in any order. */
  ids(): Iterable<string>;
  /** In order. */
  each(): readonly AcceptedPush[];
}

/** The same, and when it was accepted, by `performance.now()`. */
export interface RecentPush extends AcceptedPush {
  readonly atMs: number;
}

/** The latest pushes of this process: at most 10,000 and 8 MiB, or those of a single larger step. */
export interface RecentPushes {
  readonly isEmpty: boolean;
  add(pushes: AcceptedPushes, atMs: number): void;
  /** The messages of these ids are done, now or at `atMs`. What is pushed under such an id later is another message. */
  forget(ids: readonly string[], atMs?: number): void;
  isForgotten(push: RecentPush): boolean;
  /** Makes room where all that is known is older. */
  dropBefore(atMs: number): void;
  /** Of each message the latest that was accepted since; the latest first. */
  since(atMs: number): readonly RecentPush[];
}

const mostOfHalf = 5_000;
const mostBytesOfHalf = 4 << 20;
/** Among fewer ids nothing is looked for that could go. */
const leastLooked = 10_000;

/** Pushes of one step. */
interface Step {
  readonly pushes: AcceptedPushes;
  readonly atMs: number;
}

/** Two halves by age, which go as a whole: there is one for each message, and looking each up would be dear. */
export function createRecentPushes(): RecentPushes {
  let early: Step[] = [];
  let late: Step[] = [];
  let lateCount = 0;
  let lateBytes = 0;
  /** When each message was done: since the early half began, and since the late one did. */
  let doneEarly = new Map<string, number>();
  let doneLate = new Map<string, number>();
  let mostDone = leastLooked;

  const known = function* (): Generator<RecentPush> {
    for (const { pushes, atMs } of [...early, ...late].reverse()) {
      for (const push of [...pushes.each()].reverse()) yield { ...push, atMs };
    }
  };
  /** Messages of others are done here, too. */
  const prune = (): void => {
    const ids = new Set<string>();
    for (const { pushes } of [...early, ...late]) for (const id of pushes.ids()) ids.add(id);
    for (const done of [doneEarly, doneLate]) for (const id of done.keys()) if (!ids.has(id)) done.delete(id);
    mostDone = doneLate.size + leastLooked;
  };
  const turnOver = (): void => {
    early = late;
    late = [];
    lateCount = 0;
    lateBytes = 0;
    doneEarly = doneLate;
    doneLate = new Map();
    mostDone = leastLooked;
  };
  const isForgotten = ({ out, atMs }: RecentPush): boolean =>
    (doneLate.get(out.id) ?? doneEarly.get(out.id) ?? Number.NEGATIVE_INFINITY) >= atMs;

  return {
    get isEmpty() {
      return late.length + early.length === 0;
    },
    add(pushes, atMs) {
      late.push({ pushes, atMs });
      lateCount += pushes.count;
      lateBytes += pushes.bytes;
      if (lateCount >= mostOfHalf || lateBytes >= mostBytesOfHalf) turnOver();
    },
    forget(ids, atMs = performance.now()) {
      if (late.length + early.length === 0) return;
      for (const id of ids) doneLate.set(id, atMs);
      if (doneLate.size > mostDone) prune();
    },
    isForgotten,
    dropBefore(atMs) {
      if (early.length > 0 && (early.at(-1)?.atMs ?? 0) < atMs) early = [];
      if (late.length > 0 && (late[0]?.atMs ?? 0) < atMs) turnOver();
      if (doneEarly.size + doneLate.size > 0) prune();
    },
    since(atMs) {
      const found = new Map<string, RecentPush>();
      for (const push of known()) {
        if (push.atMs < atMs) break;
        if (!found.has(push.out.id) && !isForgotten(push)) found.set(push.out.id, push);
      }
      return [...found.values()];
    },
  };
}
