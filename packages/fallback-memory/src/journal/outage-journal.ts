import { type Command, isSealed, keysOf, sha1, toTextForm, type WrittenKeys } from "@continuum-cache/core";
import type { AcceptedWrite } from "../accepted-write.ts";
import type { KnownValue } from "../fallback/known-values.ts";
import { never } from "../keyspace/keyspace.ts";
import { type Batch, replayPlan } from "../recovery/replay-plan.ts";
import { absent } from "../recovery/set-unless-written.ts";
import { type Bulk, idOf, toBulk } from "../values/bulk.ts";
import { canonicalWrites } from "./canonical-write.ts";
import { amend, createIntent } from "./intent.ts";
import { type JournalRecord, type KeyWrite, recordsOf } from "./journal-record.ts";
import type { Fate, Noting, OwnStates } from "./noting.ts";
import { createSegment, type JournalBounds, type Segment } from "./segment.ts";

/** A part of the journal on its way to the primary. It no longer changes; what is written meanwhile goes to the next. */
export interface Replay {
  readonly id: string;
  readonly batches: readonly Batch[];
  /** How many batches the primary has confirmed. */
  readonly done: number;
}

/** What this process has done while the primary was away and has yet to tell it. */
export interface OutageJournal {
  /** Takes down a write that the memory has accepted. */
  note(write: AcceptedWrite, noting: Noting): void;
  /** Takes down that the keys of a glob have to go. */
  invalidate(glob: string, nowMs: number): void;
  /** The primary has replaced these keys since: what was intended for them is over. */
  forget(keys: WrittenKeys): void;
  /** Whether these commands touch a key of which the primary has yet to be told. */
  touches(commands: readonly Command[]): boolean;
  /** What to tell the primary next: what was begun, else all there is. @param id - As an earlier process has called it. */
  begin(id?: string): Replay | undefined;
  /** The primary has confirmed the next batch. */
  confirm(): void;
  /** What a journal like this one is made from. */
  records(): Iterable<JournalRecord>;
  readonly size: JournalSize;
}

export interface JournalSize {
  readonly entries: number;
  /** How many of the entries are patterns. */
  readonly patterns: number;
  readonly bytes: number;
  /** Mutations that the primary has not confirmed. */
  readonly pending: number;
  /** Mutations that could not be kept one by one, since the journal was last empty. */
  readonly dropped: number;
  readonly oldestMs: number | undefined;
}

export interface OutageJournalOptions {
  readonly bounds: JournalBounds;
  /** What the primary is known to have held under a key. */
  readonly known: (key: Bulk) => KnownValue | undefined;
  /** Told of a key that is counted here from nothing, and when the one at the primary ends. */
  readonly onInheritedEnd: (key: Bulk, expiresAtMs: number) => void;
  /** Told of everything that happens to the journal. */
  readonly onRecord: (record: JournalRecord) => void;
  /** Told in words what became coarser for want of room. */
  readonly onOverflow: (what: string) => void;
  /** Makes the name of a part that is replayed, unique in the world. */
  readonly newId: () => string;
}

interface Underway {
  readonly segment: Segment;
  readonly id: string;
  readonly batches: readonly Batch[];
  done: number;
  pending: number;
}

export function createOutageJournal(options: OutageJournalOptions): OutageJournal {
  const { bounds, known, onInheritedEnd, onRecord, onOverflow, newId } = options;
  let underway: Underway | undefined;
  let droppedBefore = 0;

  const used = () => ({ entries: underway?.segment.entries ?? 0, bytes: underway?.segment.bytes ?? 0 });
  const newSegment = (): Segment => createSegment(bounds, used, onOverflow);
  let current = newSegment();

  /** What of this process's doing, or knowledge, the primary may hold under a key; without any, nothing. */
  const ownStates = (key: Bulk): Map<string, number> | undefined => {
    const before = known(key);
    const earlier = underway?.segment.intents.get(idOf(key));
    if (!before && !earlier) return undefined;
    const own = new Map(earlier?.own);
    addState(own, before?.value ?? null, before?.expiresAtMs ?? never);
    if (earlier?.deleted) addState(own, null, never);
    if (earlier?.set) addState(own, earlier.set.value, earlier.set.expiresAtMs);
    return own;
  };

  /** Whether what the primary was known to hold is gone by this process's own word. */
  const isRemoved = (key: Bulk): boolean =>
    [current, ...(underway ? [underway.segment] : [])].some(
      (segment) => segment.intents.get(idOf(key))?.deleted || segment.isInvalidated(key),
    );

  /** When the counter at the primary ends, which is counted here from nothing: else it would live for ever afterwards. */
  const inheritedEnd = ({ kind, key }: KeyWrite, nowMs: number): number | undefined => {
    const endMs = kind === "add" ? (known(key)?.expiresAtMs ?? never) : never;
    return endMs !== never && endMs > nowMs && !isRemoved(key) ? Math.ceil(endMs) : undefined;
  };

  const take = (write: KeyWrite, source: AcceptedWrite, fate: Fate, earlier?: OwnStates): void => {
    const { key } = write;
    const { nowMs } = source;
    current.put(key, (present) => {
      const own = present ? undefined : (earlier ?? ownStates(key));
      const endMs = present ? undefined : inheritedEnd(write, nowMs);
      const intent = present ?? createIntent(key, nowMs);
      // What goes with a pattern is known to be gone.
      if (!present && current.isInvalidated(key)) intent.deleted = true;
      if (own) intent.own = new Map(own);
      amend(intent, write, source.at(key), nowMs);
      onRecord({ kind: "write", write, atMs: nowMs, fate, ...(own && { own }) });
      if (fate === "unknown" && write.kind === "set") {
        intent.own ??= new Map([[absent, never]]);
        addState(intent.own, write.value, write.expiresAtMs);
      }
      if (endMs !== undefined) {
        intent.expiresAtMs ??= endMs;
        onInheritedEnd(key, endMs);
        onRecord({ kind: "write", write: { kind: "expire", key, expiresAtMs: endMs }, atMs: nowMs, fate });
      }
      return intent;
    });
  };

  const invalidate = (glob: string, nowMs: number): void => {
    onRecord({ kind: "invalidate", glob });
    current.invalidate(glob, nowMs);
  };

  return {
    note(write, { fate, own, replaced, as }) {
      for (const one of as ? [as] : canonicalWrites(write)) {
        if (one.kind === "flush") invalidate("*", write.nowMs);
        else if (!replaced?.has(textOf(one.key))) take(one, write, fate, own);
      }
    },
    invalidate,
    forget(keys) {
      for (const { key } of [...current.intents.values()]) {
        if (!keys.has(textOf(key))) continue;
        onRecord({ kind: "forget", key });
        current.forget(key);
      }
    },
    touches(commands) {
      const segments = [current, ...(underway ? [underway.segment] : [])].filter(({ entries }) => entries > 0);
      if (segments.length === 0) return false;
      return commands.some((command) => {
        const keys = keysOf(command);
        if (keys === "database") return true;
        return keys.some((text) => {
          const key = toBulk(text);
          return segments.some((segment) => segment.intents.has(idOf(key)) || segment.isInvalidated(key));
        });
      });
    },
    begin(id = newId()) {
      if (!underway && current.entries > 0) {
        onRecord({ kind: "begin", id });
        const batches = replayPlan(current, id);
        // What cancelled itself out, like a push that was popped, needs no telling.
        if (batches.length > 0) underway = { segment: current, id, batches, done: 0, pending: current.mutations };
        droppedBefore += current.dropped;
        current = newSegment();
      }
      return underway;
    },
    confirm() {
      if (!underway) return;
      onRecord({ kind: "confirm" });
      underway.pending -= underway.batches[underway.done]?.mutations ?? 0;
      underway.done++;
      if (underway.done < underway.batches.length) return;
      underway = undefined;
      if (current.entries === 0) droppedBefore = 0;
    },
    *records() {
      if (underway) {
        yield* recordsOf(underway.segment);
        yield { kind: "begin", id: underway.id };
        for (let done = 0; done < underway.done; done++) yield { kind: "confirm" };
      }
      yield* recordsOf(current);
    },
    get size() {
      return {
        entries: current.entries + used().entries,
        patterns: current.invalidations.size + (underway?.segment.invalidations.size ?? 0),
        bytes: current.bytes + used().bytes,
        pending: current.mutations + (underway?.pending ?? 0),
        dropped: droppedBefore + current.dropped,
        oldestMs: underway?.segment.oldestMs() ?? current.oldestMs(),
      };
    },
  };
}

/** A key as the command table names it. */
const textOf = (key: Bulk): string => (typeof key === "string" ? key : new TextDecoder().decode(key));

function addState(states: Map<string, number>, value: Bulk | null, expiresAtMs: number): void {
  if (value === null) {
    states.set(absent, never);
    return;
  }
  states.set(sha1(value), expiresAtMs);
  // Over REST a sealed value may have been written in its text form.
  if (value instanceof Uint8Array && isSealed(value)) states.set(sha1(toTextForm(value)), expiresAtMs);
}
