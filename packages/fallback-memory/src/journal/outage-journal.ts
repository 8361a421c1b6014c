import type { Command } from "@continuum-cache/core";
import { keysOf } from "@continuum-cache/core/kit";
import type { AcceptedWrite } from "@continuum-cache/transport-memory";
import { type Bulk, canonicalWrites, type KeyWrite, never, toBulk } from "@continuum-cache/transport-memory/kit";
import type { KnownValue } from "../known/known-values.ts";
import { amend } from "./intent.ts";
import { beginJournalCopy, type JournalCopy } from "./journal-copy.ts";
import type { JournalRecord } from "./journal-record.ts";
import { neededRoom } from "./needed-room.ts";
import type { Noting } from "./noting.ts";
import { addState, ownStates } from "./own-states.ts";
import { createPlanAhead, type PlanAhead } from "./plan-ahead.ts";
import { replayPlan } from "./replay-plan.ts";
import { createSegment, type Segment } from "./segment.ts";
import { absent } from "./set-unless-written.ts";

/**
 * A part of the journal on its way to the primary. It no longer changes; what is written meanwhile goes to the next. Its next
 * batches are those that the primary has not confirmed: always the same, until they are.
 */
export type Replay = Pick<PlanAhead, "prepare" | "next">;

/** What this process has done while the primary was away and has yet to tell it. */
export interface OutageJournal {
  /** Whether what these commands write, and these patterns, fit within the bounds. What is refused must not be done. */
  hasRoomFor(commands: readonly Command[], globs: readonly string[]): boolean;
  /** Takes down a write that the memory has accepted. @returns whether it can be told: all but FLUSHDB and FLUSHALL can. */
  note(write: AcceptedWrite, noting: Noting): boolean;
  /** Takes down that the keys of a glob have to go. @param isNew, @returns - As `Segment.invalidate` has it. */
  invalidate(glob: string, nowMs: number, isNew: boolean, mutations?: number): boolean;
  /** The primary has replaced a key since: what was intended for it is over. @returns how many mutations that were. */
  forget(key: Bulk): number;
  /** Whether the primary has yet to be told of a key. */
  holds(key: string): boolean;
  /** Whether these commands touch such a key. */
  touches(commands: readonly Command[]): boolean;
  /** What to tell the primary next: what was begun, else all there is. @param id - As an earlier process has called it. */
  begin(id?: string): Replay | undefined;
  /** Has the batches at hand that `confirm` is about to take, and the one behind them: made in slices, it never blocks. */
  prepare(batches: number): Promise<void>;
  /** The primary has confirmed the next so many batches. @returns for how many mutations that settles what becomes of them. */
  confirm(batches: number): number;
  /** Begins a copy of all there is; one that was under way ends unfinished. */
  beginCopy(): JournalCopy;
  readonly size: JournalSize;
}

export interface JournalSize {
  readonly entries: number;
  /** How many of the entries are patterns. */
  readonly patterns: number;
  readonly bytes: number;
  /** Mutations that the primary has not confirmed. */
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
  /** What the primary is known to have held under a key. */
  readonly known: (key: Bulk) => KnownValue | undefined;
  /** Told of a key that is counted here from nothing, and when the one at the primary ends. */
  readonly onInheritedEnd: (key: Bulk, expiresAtMs: number) => void;
  /** Told of everything that happens to the journal. */
  readonly onRecord: (record: JournalRecord) => void;
  /** Makes the name of a part that is replayed, unique in the world. */
  readonly newId: () => string;
}

interface Underway extends PlanAhead {
  readonly segment: Segment;
  readonly id: string;
  /** Keys of it that the primary has replaced since: the memory holds them no more. */
  readonly forgotten: Bulk[];
  done: number;
  pending: number;
}

export function createOutageJournal(options: OutageJournalOptions): OutageJournal {
  const { bounds, known, onInheritedEnd, onRecord, newId } = options;
  let underway: Underway | undefined;
  let current = createSegment();

  const segments = (): Segment[] => [current, ...(underway ? [underway.segment] : [])];
  const total = (countOf: (segment: Segment) => number): number =>
    segments().reduce((sum, one) => sum + countOf(one), 0);

  const holds: OutageJournal["holds"] = (text) => {
    const key = toBulk(text);
    return segments().some((segment) => segment.stateOf(key) !== "none");
  };

  /** When the counter at the primary ends, which is counted here from nothing: else it would live for ever afterwards. */
  const inheritedEnd = ({ kind, key }: KeyWrite, nowMs: number): number | undefined => {
    const endMs = kind === "add" ? (known(key)?.expiresAtMs ?? never) : never;
    if (endMs === never || endMs <= nowMs || segments().some((segment) => segment.deletesKey(key))) return undefined;
    return Math.ceil(endMs);
  };

  const take = (write: KeyWrite, source: AcceptedWrite, { fate, own: earlier, mutations = 1 }: Noting): void => {
    const { key } = write;
    const { nowMs } = source;
    const endMs = current.intentOf(key) ? undefined : inheritedEnd(write, nowMs);
    current.put(key, nowMs, (intent, isNew) => {
      // Behind a delete nothing is left that could have been known.
      const own =
        isNew && write.kind !== "delete" ? (earlier ?? ownStates(known(key), underway?.segment, key)) : undefined;
      if (own) intent.own = new Map(own);
      intent.mutations += mutations;
      amend(intent, write, source.at(key), nowMs);
      onRecord({ kind: "write", write, atMs: nowMs, fate, ...(own && { own }), ...(mutations !== 1 && { mutations }) });
      if (fate === "unknown" && write.kind === "set") {
        intent.own ??= new Map([[absent, never]]);
        addState(intent.own, write.value, write.expiresAtMs);
      }
      if (endMs === undefined) return;
      intent.expiresAtMs ??= endMs;
      onInheritedEnd(key, endMs);
      const end = { kind: "expire", key, expiresAtMs: endMs } as const;
      onRecord({ kind: "write", write: end, atMs: nowMs, fate, mutations: 0 });
    });
  };

  return {
    hasRoomFor(commands, globs) {
      const { entries, bytes } = neededRoom(current, commands, globs);
      const isWithin = (more: number, used: (segment: Segment) => number, most: number): boolean =>
        more === 0 || total(used) + more <= most;
      return (
        isWithin(entries, (segment) => segment.entries, bounds.maxEntries) &&
        isWithin(bytes, (segment) => segment.bytes, bounds.maxBytes)
      );
    },
    note(write, noting) {
      const { as, replaced } = noting;
      const writes = as ? [as] : canonicalWrites(write);
      for (const one of writes) if (one.kind !== "flush" && !replaced?.has(textOf(one.key))) take(one, write, noting);
      return writes.every(({ kind }) => kind !== "flush");
    },
    invalidate(glob, nowMs, isNew, mutations = 1) {
      const isChange = current.invalidate(glob, nowMs, isNew, mutations);
      if (isChange) onRecord({ kind: "invalidate", glob, ...(mutations !== 1 && { mutations }) });
      return isChange;
    },
    forget(key) {
      const isSent = underway !== undefined && underway.segment.stateOf(key) !== "none";
      if (isSent) underway?.forgotten.push(key);
      if (isSent || current.stateOf(key) !== "none") onRecord({ kind: "forget", key });
      return current.forget(key);
    },
    holds,
    touches(commands) {
      if (segments().every(({ entries }) => entries === 0)) return false;
      return commands.some((command) => {
        const keys = keysOf(command);
        return keys === "database" || keys.some(holds);
      });
    },
    begin(id = newId()) {
      if (!underway && current.entries > 0) {
        onRecord({ kind: "begin", id });
        const segment = current;
        segment.seal();
        const plan = createPlanAhead(replayPlan(segment, id));
        underway = { segment, id, ...plan, forgotten: [], done: 0, pending: segment.mutations };
        current = createSegment();
      }
      return underway;
    },
    prepare: async (batches) => underway?.prepare(batches + 1),
    confirm(batches) {
      if (!underway) return 0;
      onRecord({ kind: "confirm", batches });
      const confirmed = underway.take(batches);
      underway.done += confirmed.length;
      const mutations = confirmed.reduce((sum, batch) => sum + batch.mutations, 0);
      underway.pending -= mutations;
      if (underway.next(1).length > 0) return mutations;
      // What cancelled itself out, like a push that was popped, is in no batch: it is done when the others are.
      const { pending } = underway;
      underway = undefined;
      return mutations + pending;
    },
    beginCopy: () => beginJournalCopy({ underway, current }),
    get size() {
      return {
        entries: total(({ entries }) => entries),
        patterns: total(({ patterns }) => patterns.size),
        bytes: total(({ bytes }) => bytes),
        pending: current.mutations + (underway?.pending ?? 0),
        oldestMs: underway?.segment.oldestMs ?? current.oldestMs,
      };
    },
  };
}

/** A key as the command table names it. */
const textOf = (key: Bulk): string => (typeof key === "string" ? key : new TextDecoder().decode(key));
