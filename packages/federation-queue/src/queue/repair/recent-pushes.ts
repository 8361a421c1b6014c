import type { Command } from "@continuum-cache/core";
import { chunked } from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../../shared/primary-client.ts";
import type { LeaseRecord } from "../leases.ts";
import { type PendingPush, plainPush } from "../pending-push.ts";
import type { PriorityStream, QueueSettings } from "../settings.ts";

/** A push that Redis has accepted. */
export interface AcceptedPush {
  readonly push: PendingPush;
  /** The id of its entry, or its due time; "" if it is not known. */
  readonly entryId: string;
}

/**
 * Pushes that Redis has accepted in one command. They are held for a minute and rarely read, so they stay the few long
 * texts that were sent and answered: the garbage collector moves those faster than an object for each push.
 */
export interface AcceptedPushes {
  readonly count: number;
  /** The memory they take, roughly. */
  readonly bytes: number;
  /** The ids of the messages, in any order. */
  ids(): Iterable<string>;
  /** In order. */
  each(): readonly AcceptedPush[];
}

/** One push that was accepted by itself. */
export class SingleAcceptedPush implements AcceptedPushes {
  readonly count = 1;
  readonly bytes: number;
  readonly #accepted: AcceptedPush;

  constructor(push: PendingPush, entryId: string) {
    this.bytes = push.bytes;
    this.#accepted = { push, entryId };
  }

  ids(): readonly string[] {
    return [this.#accepted.push.id];
  }

  each(): readonly AcceptedPush[] {
    return [this.#accepted];
  }
}

/** Pushes of one `pushManyScript`. */
export class AcceptedLines implements AcceptedPushes {
  readonly count: number;
  readonly bytes: number;
  readonly #stream: PriorityStream;
  readonly #lines: string;
  readonly #entryIds: string;

  /** @param entryIds - The entries' ids of the first `count` messages, as lines; at least one. */
  constructor(stream: PriorityStream, lines: string, entryIds: string, count: number) {
    this.count = count;
    this.bytes = lines.length + entryIds.length;
    this.#stream = stream;
    this.#lines = lines;
    this.#entryIds = entryIds;
  }

  get lastEntryId(): string {
    return this.#entryIds.slice(this.#entryIds.lastIndexOf("\n") + 1);
  }

  *ids(): Generator<string> {
    const words = this.#lines.split("\n");
    for (let at = 0; at < this.count; at++) yield words[2 * at] as string;
  }

  each(): AcceptedPush[] {
    const words = this.#lines.split("\n");
    return this.#entryIds.split("\n").map((entryId, at) => {
      return { push: plainPush(words[2 * at] as string, words[2 * at + 1] as string, this.#stream), entryId };
    });
  }
}

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

const deletedAtOnce = 100;
/** No process remembers more pushes than this. */
const mostKept = 10_000;

/**
 * Deletes the entries of acked messages, many at a time. They stay in Redis for the repair window, in which their
 * absence would mean that a failover has lost the push. Maintenance deletes the entries of processes that died.
 */
function createAckedEntries(client: PrimaryClient, keepMs: number) {
  const byStream = new Map<PriorityStream, { readonly entryId: string; readonly atMs: number }[]>();

  const remove = async (stream: PriorityStream, entries: readonly { readonly entryId: string }[]): Promise<void> => {
    const deletes = chunked(entries, { items: deletedAtOnce }).map(
      (part): Command => ["XDEL", stream.key, ...part.map(({ entryId }) => entryId)],
    );
    // A failure is harmless: maintenance deletes them.
    if (deletes.length > 0) await client.send(deletes).catch(() => {});
  };

  return {
    add(acked: readonly LeaseRecord[]): void {
      const nowMs = performance.now();
      for (const { stream, entryId } of acked) {
        const list = byStream.get(stream) ?? [];
        byStream.set(stream, list);
        list.push({ entryId, atMs: nowMs });
        const last = list[deletedAtOnce - 1];
        if (last && (last.atMs + keepMs <= nowMs || list.length > mostKept))
          void remove(stream, list.splice(0, deletedAtOnce));
      }
    },
    /** Deletes all of them. Never rejects. */
    async flush(): Promise<void> {
      const all = [...byStream];
      byStream.clear();
      await Promise.all(all.map(([stream, entries]) => remove(stream, entries)));
    },
  };
}

/** What this process remembers for the repair: its latest pushes, and the entries of acked messages. */
export interface RepairMemory {
  /** How long pushes are remembered, in ms; 0: not at all. */
  readonly windowMs: number;
  readonly recent: RecentPushes;
  /** Redis has accepted these pushes. */
  accepted(pushes: readonly AcceptedPushes[]): void;
  /** These messages are done: their absence is no loss. */
  acked(leases: readonly LeaseRecord[]): void;
  /** Deletes the entries of acked messages that are left. Never rejects. */
  flush(): Promise<void>;
}

/** @param watch - Its `touch` is called for accepted pushes, once `touchedUntilMs` has passed. */
export function createRepairMemory(
  client: PrimaryClient,
  { repairMs, retentionMs }: QueueSettings,
  watch: { readonly touchedUntilMs: number; touch(): void },
): RepairMemory {
  const windowMs = Math.min(repairMs, retentionMs);
  const recent = createRecentPushes();
  const ackedEntries = createAckedEntries(client, repairMs);
  let nextDropMs = 0;
  return {
    windowMs,
    recent,
    accepted(pushes) {
      if (windowMs === 0) return;
      const nowMs = performance.now();
      for (const each of pushes) recent.add(each, nowMs);
      if (nowMs >= nextDropMs) {
        nextDropMs = nowMs + windowMs / 10;
        recent.dropBefore(nowMs - windowMs);
      }
      if (nowMs >= watch.touchedUntilMs) watch.touch();
    },
    acked(leases) {
      ackedEntries.add(leases);
      recent.forget(leases.map(({ fields }) => fields.i));
    },
    flush: ackedEntries.flush,
  };
}
