import type { Command } from "@continuum-cache/core";
import { keysOf } from "@continuum-cache/core/kit";
import type { AppliedWrite } from "@continuum-cache/transport-memory";
import { type Bulk, canonicalWrites, type KeyWrite, never, toBulk } from "@continuum-cache/transport-memory/kit";
import type { LastSeenValue } from "../last-seen/last-seen-values.ts";
import { absent, addState, expectedStates } from "./expected-states.ts";
import { beginJournalCopy, type JournalCopy } from "./journal-copy.ts";
import type { JournalRecord } from "./journal-record.ts";
import { neededRoom } from "./needed-room.ts";
import { applyWrite } from "./pending-change.ts";
import { createPlanAhead, type PlanAhead } from "./plan-ahead.ts";
import { replayPlan } from "./replay-plan.ts";
import { createSegment, type Segment } from "./segment.ts";
import type { WriteContext } from "./write-context.ts";

/**
 * The replay of a part of the journal. The part no longer changes; later writes go to the next part. Its next batches
 * are those that the primary has not confirmed: always the same batches, until they are confirmed.
 */
export type Replay = Pick<PlanAhead, "prepare" | "next">;

/** The changes that this process has made while the primary was away and that the primary does not know. */
export interface OutageJournal {
  /** Whether the writes of these commands, and these patterns, fit within the bounds. If not, they must not run. */
  hasRoomFor(commands: readonly Command[], globs: readonly string[]): boolean;
  /**
   * Journals a write of the memory.
   *
   * @returns whether it can be replayed: all writes except FLUSHDB and FLUSHALL can.
   */
  record(write: AppliedWrite, context: WriteContext): boolean;
  /** Journals the delete of all keys that match a glob. @param isNew, @returns - See `Segment.invalidate`. */
  invalidate(glob: string, nowMs: number, isNew: boolean, mutations?: number): boolean;
  /** The primary has replaced a key: drops its pending change. @returns how many mutations that change stood for. */
  forget(key: Bulk): number;
  /** Whether a key has a pending change. */
  holds(key: string): boolean;
  /** Whether any of these commands touches a key with a pending change. */
  touches(commands: readonly Command[]): boolean;
  /**
   * The replay that was begun, otherwise a new one of all changes.
   *
   * @param id - The id that an earlier process has given it.
   */
  begin(id?: string): Replay | undefined;
  /** Makes the batches that `confirm` is about to take, and the next one, in slices that never block. */
  prepare(batches: number): Promise<void>;
  /** The primary has confirmed the next so many batches. @returns how many mutations are settled by that. */
  confirm(batches: number): number;
  /** Begins a copy of the journal. A copy that was in progress ends. */
  beginCopy(): JournalCopy;
  readonly size: JournalSize;
}

export interface JournalSize {
  readonly entries: number;
  /** How many of the entries are patterns. */
  readonly patterns: number;
  readonly bytes: number;
  /** How many mutations the primary has not confirmed. */
  readonly pending: number;
  readonly oldestMs: number | undefined;
}

/** The most that a journal may hold. */
export interface JournalBounds {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

export interface OutageJournalOptions {
  readonly bounds: JournalBounds;
  /** The value that was last seen at the primary. */
  readonly lastSeen: (key: Bulk) => LastSeenValue | undefined;
  /** Called when a counter starts from nothing here and the primary's counter has an expiry. */
  readonly onInheritedEnd: (key: Bulk, expiresAtMs: number) => void;
  /** Called with each event of the journal. */
  readonly onRecord: (record: JournalRecord) => void;
  /** Makes the id of a replay, unique in the world. */
  readonly newId: () => string;
}

/** The part that is being replayed. */
interface Replaying extends PlanAhead {
  readonly segment: Segment;
  readonly id: string;
  /** Keys of it that the primary has replaced since: the memory no longer holds them. */
  readonly forgotten: Bulk[];
  /** How many of its batches are confirmed. */
  done: number;
  pending: number;
}

export function createOutageJournal(options: OutageJournalOptions): OutageJournal {
  return new SegmentedJournal(options);
}

/** Writes go to the current segment. A replay takes that segment, and later writes go to a new one. */
class SegmentedJournal implements OutageJournal {
  readonly #options: OutageJournalOptions;
  #replaying: Replaying | undefined;
  #current: Segment = createSegment();

  constructor(options: OutageJournalOptions) {
    this.#options = options;
  }

  hasRoomFor(commands: readonly Command[], globs: readonly string[]): boolean {
    const { maxEntries, maxBytes } = this.#options.bounds;
    const { entries, bytes } = neededRoom(this.#current, commands, globs);
    return (
      (entries === 0 || this.#total((segment) => segment.entries) + entries <= maxEntries) &&
      (bytes === 0 || this.#total((segment) => segment.bytes) + bytes <= maxBytes)
    );
  }

  record(write: AppliedWrite, context: WriteContext): boolean {
    const { as, replaced } = context;
    const writes = as ? [as] : canonicalWrites(write);
    for (const one of writes) {
      if (one.kind !== "flush" && !replaced?.has(textOf(one.key))) this.#put(one, write, context);
    }
    return writes.every(({ kind }) => kind !== "flush");
  }

  invalidate(glob: string, nowMs: number, isNew: boolean, mutations = 1): boolean {
    const isChange = this.#current.invalidate(glob, nowMs, isNew, mutations);
    if (isChange) this.#options.onRecord({ kind: "invalidate", glob, ...(mutations !== 1 && { mutations }) });
    return isChange;
  }

  forget(key: Bulk): number {
    const isReplayed = this.#replaying !== undefined && this.#replaying.segment.stateOf(key) !== "none";
    if (isReplayed) this.#replaying?.forgotten.push(key);
    if (isReplayed || this.#current.stateOf(key) !== "none") this.#options.onRecord({ kind: "forget", key });
    return this.#current.forget(key);
  }

  holds(text: string): boolean {
    const key = toBulk(text);
    return this.#segments().some((segment) => segment.stateOf(key) !== "none");
  }

  touches(commands: readonly Command[]): boolean {
    if (this.#segments().every(({ entries }) => entries === 0)) return false;
    return commands.some((command) => {
      const keys = keysOf(command);
      return keys === "database" || keys.some((key) => this.holds(key));
    });
  }

  begin(id: string = this.#options.newId()): Replay | undefined {
    if (!this.#replaying && this.#current.entries > 0) {
      this.#options.onRecord({ kind: "begin", id });
      const segment = this.#current;
      segment.seal();
      const plan = createPlanAhead(replayPlan(segment, id));
      this.#replaying = { segment, id, ...plan, forgotten: [], done: 0, pending: segment.mutations };
      this.#current = createSegment();
    }
    return this.#replaying;
  }

  async prepare(batches: number): Promise<void> {
    await this.#replaying?.prepare(batches + 1);
  }

  confirm(batches: number): number {
    const replaying = this.#replaying;
    if (!replaying) return 0;
    this.#options.onRecord({ kind: "confirm", batches });
    const confirmed = replaying.take(batches);
    replaying.done += confirmed.length;
    const mutations = confirmed.reduce((sum, batch) => sum + batch.mutations, 0);
    replaying.pending -= mutations;
    if (replaying.next(1).length > 0) return mutations;
    // Mutations that cancel each other out, like a push and its pop, are in no batch: they are settled with the last
    // one.
    this.#replaying = undefined;
    return mutations + replaying.pending;
  }

  beginCopy(): JournalCopy {
    return beginJournalCopy({ replaying: this.#replaying, current: this.#current });
  }

  get size(): JournalSize {
    return {
      entries: this.#total(({ entries }) => entries),
      patterns: this.#total(({ patterns }) => patterns.size),
      bytes: this.#total(({ bytes }) => bytes),
      pending: this.#current.mutations + (this.#replaying?.pending ?? 0),
      oldestMs: this.#replaying?.segment.oldestMs ?? this.#current.oldestMs,
    };
  }

  #segments(): Segment[] {
    return this.#replaying ? [this.#current, this.#replaying.segment] : [this.#current];
  }

  #total(countOf: (segment: Segment) => number): number {
    return this.#segments().reduce((sum, one) => sum + countOf(one), 0);
  }

  #put(write: KeyWrite, source: AppliedWrite, context: WriteContext): void {
    const { onRecord, onInheritedEnd } = this.#options;
    const { delivery, mutations = 1 } = context;
    const { key } = write;
    const { nowMs } = source;
    const endMs = this.#current.changeOf(key) ? undefined : this.#inheritedEnd(write, nowMs);
    this.#current.put(key, nowMs, (change, isNew) => {
      // After a delete the earlier states of the key don't matter.
      const expected = isNew && write.kind !== "delete" ? (context.expected ?? this.#expectedStates(key)) : undefined;
      if (expected) change.expected = new Map(expected);
      change.mutations += mutations;
      applyWrite(change, write, source.at(key), nowMs);
      onRecord({
        kind: "write",
        write,
        atMs: nowMs,
        delivery,
        ...(expected && { expected }),
        ...(mutations !== 1 && { mutations }),
      });
      if (delivery === "unknown" && write.kind === "set") {
        change.expected ??= new Map([[absent, never]]);
        addState(change.expected, write.value, write.expiresAtMs);
      }
      if (endMs === undefined) return;
      change.expiresAtMs ??= endMs;
      onInheritedEnd(key, endMs);
      const end = { kind: "expire", key, expiresAtMs: endMs } as const;
      onRecord({ kind: "write", write: end, atMs: nowMs, delivery, mutations: 0 });
    });
  }

  #expectedStates(key: Bulk): Map<string, number> | undefined {
    return expectedStates(this.#options.lastSeen(key), this.#replaying?.segment, key);
  }

  /** When the primary's counter expires, if this write starts it from nothing here: otherwise it would never expire. */
  #inheritedEnd({ kind, key }: KeyWrite, nowMs: number): number | undefined {
    const endMs = kind === "add" ? (this.#options.lastSeen(key)?.expiresAtMs ?? never) : never;
    if (endMs === never || endMs <= nowMs || this.#segments().some((segment) => segment.deletesKey(key)))
      return undefined;
    return Math.ceil(endMs);
  }
}

/** A key as the command table names it. */
const textOf = (key: Bulk): string => (typeof key === "string" ? key : new TextDecoder().decode(key));
