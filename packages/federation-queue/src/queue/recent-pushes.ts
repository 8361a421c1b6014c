import type { Outgoing } from "./outgoing.ts";

/** A push that Redis has accepted. */
export interface RecentPush {
  readonly out: Outgoing;
  readonly entryId: string;
  /** When it was accepted, by `performance.now()`. */
  readonly atMs: number;
}

/** The latest pushes of this process: at most 10,000 and 8 MiB, or a single larger one. */
export interface RecentPushes {
  readonly isEmpty: boolean;
  add(push: RecentPush): void;
  /** The messages of these ids are done. */
  forget(ids: readonly string[]): void;
  isForgotten(push: RecentPush): boolean;
  /** Makes room where all that is known is older. */
  dropBefore(atMs: number): void;
  /** Of each message the latest that was accepted since; the latest first. */
  since(atMs: number): readonly RecentPush[];
}

const mostOfHalf = 5_000;
const mostBytesOfHalf = 4 << 20;

/** Two halves by age, which go as a whole: there is one for each message, and looking each up would be dear. */
export function createRecentPushes(): RecentPushes {
  let early: RecentPush[] = [];
  let late: RecentPush[] = [];
  let lateBytes = 0;
  const forgotten = new Set<string>();

  /** Messages of others are done here, too. */
  const prune = (): void => {
    if (forgotten.size === 0) return;
    const known = new Set([...early, ...late].map(({ out }) => out.id));
    for (const id of forgotten) if (!known.has(id)) forgotten.delete(id);
  };
  const turnOver = (): void => {
    early = late;
    late = [];
    lateBytes = 0;
    prune();
  };
  const isForgotten = ({ out }: RecentPush): boolean => forgotten.has(out.id);

  return {
    get isEmpty() {
      return late.length + early.length === 0;
    },
    add(push) {
      if (forgotten.size > 0) forgotten.delete(push.out.id);
      late.push(push);
      lateBytes += push.out.bytes;
      if (late.length >= mostOfHalf || lateBytes >= mostBytesOfHalf) turnOver();
    },
    forget(ids) {
      if (late.length + early.length === 0) return;
      for (const id of ids) forgotten.add(id);
      if (forgotten.size > 2 * mostOfHalf) prune();
    },
    isForgotten,
    dropBefore(atMs) {
      if (early.length > 0 && (early.at(-1)?.atMs ?? 0) < atMs) early = [];
      if (late.length > 0 && (late[0]?.atMs ?? 0) < atMs) turnOver();
      prune();
    },
    since(atMs) {
      const found = new Map<string, RecentPush>();
      for (const push of [...early, ...late].reverse()) {
        if (push.atMs >= atMs && !found.has(push.out.id) && !isForgotten(push)) found.set(push.out.id, push);
      }
      return [...found.values()];
    },
  };
}
