import type { Clock, Command, Reply, SendOptions } from "@continuum-cache/core";
import {
  defaultTimeoutMs,
  isReplacing,
  type JournalStore,
  keysIn,
  keysOf,
  settlesWithin,
  type WrittenKeys,
} from "@continuum-cache/core/kit";
import type { MemoryTransport } from "@continuum-cache/transport-memory";
import { isUnsupported, toBulk } from "@continuum-cache/transport-memory/kit";
import { createJournalLog, type JournalLog } from "../journal/journal-log.ts";
import type { Noting } from "../journal/noting.ts";
import { createOutageJournal, type JournalBounds, type OutageJournal } from "../journal/outage-journal.ts";
import { restore } from "../journal/restore.ts";
import type { KnownValues } from "../known/known-values.ts";
import type { BackendEvents } from "./backend-events.ts";
import { deletesOf } from "./deletes-of.ts";
import { cannotAnswer, journalIsFull, noFlush, refusalOf, refusedHere } from "./local-refusals.ts";
import { goesOn } from "./pattern-runs.ts";
import type { Unanswered } from "./primary-trips.ts";
import { warmStart } from "./warm-start.ts";

/** The memory that answers in the primary's place, and the journal of what it was told. */
export interface LocalAnswers {
  readonly journal: OutageJournal;
  /**
   * Answers a trip, and takes down what it writes.
   *
   * @param unanswered - What is known of it if the primary was asked.
   * @throws TransportError when the memory can't do it as a Redis would, and when the journal has no room for it.
   */
  answer(commands: readonly Command[], options: SendOptions | undefined, unanswered?: Unanswered): Promise<Reply[]>;
  /**
   * The primary has done these after all: what it has replaced is neither served here nor told to it any more. What it was
   * looking for by these globs may have been written here meanwhile, where it could not find it: that is gone too.
   *
   * @returns how many mutations are superseded by that.
   */
  giveWay(commands: readonly Command[], invalidates: readonly string[]): number;
  /** Tells the memory what nobody waits for and the primary need not know. */
  tell(commands: readonly Command[]): void;
  /** Takes up what an earlier process has left in the store. */
  takeUp(): Promise<void>;
  /** Resolves when what was taken down survives the process, if it is to. */
  settled(): Promise<void>;
  /** Takes nothing more down. */
  close(): Promise<void>;
}

export interface LocalAnswersOptions {
  readonly memory: MemoryTransport;
  readonly known: KnownValues;
  readonly bounds: JournalBounds;
  readonly store: JournalStore | undefined;
  /** How old what the primary is known to have held may be when it is served; `undefined` to serve none of it. */
  readonly warmStartMs: number | undefined;
  readonly events: BackendEvents;
  readonly clock: Clock;
}

export function createLocalAnswers(options: LocalAnswersOptions): LocalAnswers {
  const { memory, known, bounds, store, warmStartMs, events, clock } = options;
  /** What the memory is to be told once the trip is through. */
  let inherited: Command[] = [];
  let isRestoring = false;
  let isFull = false;
  const fail = (error: Error): void => events.failure.tell({ operation: "journal", error });

  const journal: OutageJournal = createOutageJournal({
    bounds,
    known: (key) => known.at(key),
    newId: () => crypto.randomUUID(),
    onInheritedEnd: (key, expiresAtMs) => inherited.push(["PEXPIREAT", key, expiresAtMs, "NX"]),
    onRecord: (record) => {
      if (!isRestoring) log?.add(record);
    },
  });
  const log: JournalLog | undefined =
    store &&
    createJournalLog({
      store,
      isEmpty: () => journal.size.entries === 0,
      beginCopy: () => journal.beginCopy(),
      onFailure: fail,
    });

  /** What the writes are that the memory accepts now: a caller's, done at the primary perhaps, or nobody's. */
  let noting: Noting | undefined;
  let isFlushed = false;
  const stopNoting = memory.onWrite((write) => {
    if (noting && !journal.note(write, noting)) isFlushed = true;
  });

  const tell: LocalAnswers["tell"] = (commands) => {
    // Only a closed memory refuses, and answers nothing more.
    memory.send(commands).catch(() => {});
  };

  /** The memory runs a trip from beginning to end before it returns, so everything noted meanwhile is this trip's. */
  const run = <Result>(as: Noting, work: () => Result): Result => {
    noting = as;
    try {
      return work();
    } finally {
      noting = undefined;
      if (inherited.length > 0) tell(inherited);
      inherited = [];
    }
  };

  /** Why a trip's writes are not accepted, if they are not: said once to those who listen, and to each caller. */
  const fullness = (commands: readonly Command[], globs: readonly string[]): string | undefined => {
    const wasFull = isFull;
    isFull = !journal.hasRoomFor(commands, globs);
    if (isFull && !wasFull) fail(new Error(journalIsFull));
    return isFull ? journalIsFull : undefined;
  };

  return {
    journal,
    tell,
    async answer(commands, options, { fate, replaced } = { fate: "none", replaced: nothing }) {
      const globs = options?.invalidates ?? [];
      const refusal = refusalOf(commands) ?? fullness(commands, globs);
      if (refusal !== undefined) throw refusedHere(refusal, fate);
      if (warmStartMs !== undefined) tell(warmStart(commands, known, journal.holds, clock.now(), warmStartMs));
      const before = journal.size.pending;
      isFlushed = false;
      const answer = run({ fate, replaced }, () => {
        for (const glob of globs) {
          const isNew = journal.invalidate(glob, clock.now(), !goesOn(commands));
          // A walk that began at the primary would not find what is here.
          if (isNew && goesOn(commands)) void memory.forget(glob);
        }
        return memory.send(commands, options);
      });
      const wasFlushed = isFlushed;
      // The memory must not serve what the primary has replaced.
      if (!replaced.isEmpty) tell(deletesOf(commands, replaced.has));
      const { pending } = journal.size;
      if (pending > before) events.kept.tell({ mutations: pending - before, pending });
      // A disk that hangs must not hold up the caller for ever.
      if (log) await settlesWithin((options?.timeoutMs ?? defaultTimeoutMs) / 10, log.flush());
      const replies = await answer;
      // What only a script could tell: by then a part of the trip may have been done.
      if (wasFlushed) throw refusedHere(noFlush, "unknown");
      const lack = replies.find(isUnsupported);
      if (lack) throw refusedHere(cannotAnswer(lack.message), "unknown");
      return replies;
    },
    giveWay(commands, invalidates) {
      for (const glob of invalidates) {
        // Its caller was answered by the primary, so it is no mutation that is pending.
        journal.invalidate(glob, clock.now(), true, 0);
        void memory.forget(glob);
      }
      const replacing = commands.filter(isReplacing);
      tell(deletesOf(replacing));
      const keys = replacing.map(keysOf).filter((each) => each !== "database");
      return keys.flat().reduce((all, key) => all + journal.forget(toBulk(key)), 0);
    },
    async takeUp() {
      if (!log) return;
      const records = await log.read();
      isRestoring = true;
      const write = (command: Command, as?: Noting): void => (as ? run(as, () => tell([command])) : tell([command]));
      try {
        await restore(records, journal, clock.now(), write);
      } finally {
        isRestoring = false;
      }
    },
    settled: async () => log?.flush(),
    async close() {
      stopNoting();
      await log?.flush();
      await log?.close();
    },
  };
}

const nothing: WrittenKeys = keysIn([]);
