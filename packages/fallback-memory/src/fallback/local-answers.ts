import {
  type Clock,
  type Command,
  defaultTimeoutMs,
  isReplacing,
  keysIn,
  type Reply,
  type SendOptions,
  type WrittenKeys,
} from "@continuum-cache/core";
import { createJournalLog, type JournalLog } from "../journal/journal-log.ts";
import type { Noting } from "../journal/noting.ts";
import { createOutageJournal, type OutageJournal } from "../journal/outage-journal.ts";
import { restore } from "../journal/restore.ts";
import type { JournalBounds } from "../journal/segment.ts";
import type { JournalStore } from "../journal-store.ts";
import type { MemoryTransport } from "../memory-transport.ts";
import { within } from "../within.ts";
import type { BackendEvents } from "./backend-events.ts";
import { deletesOf } from "./deletes-of.ts";
import { dropMatching } from "./drop-matching.ts";
import type { KnownValues } from "./known-values.ts";
import type { Unanswered } from "./primary-trips.ts";

/** The memory that answers in the primary's place, and the journal of what it was told. */
export interface LocalAnswers {
  readonly journal: OutageJournal;
  /** Answers a trip, and takes down what it writes. @param unanswered - What is known of it if the primary was asked. */
  answer(commands: readonly Command[], options: SendOptions | undefined, unanswered?: Unanswered): Promise<Reply[]>;
  /**
   * The primary has done these after all: what it has replaced is neither served here nor told to it any more. What it was
   * looking for by these globs may have been written here meanwhile, where it could not find it: that is gone too.
   */
  giveWay(commands: readonly Command[], invalidates: readonly string[]): void;
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
  readonly events: BackendEvents;
  readonly clock: Clock;
}

export function createLocalAnswers({ memory, known, bounds, store, events, clock }: LocalAnswersOptions): LocalAnswers {
  /** What the memory is to be told once the trip is through. */
  let inherited: Command[] = [];
  let isRestoring = false;
  const fail = (error: Error): void => events.failure.tell({ operation: "journal", error });

  const journal: OutageJournal = createOutageJournal({
    bounds,
    known: (key) => known.at(key),
    newId: () => crypto.randomUUID(),
    onInheritedEnd: (key, expiresAtMs) => inherited.push(["PEXPIREAT", key, expiresAtMs, "NX"]),
    onRecord: (record) => {
      if (!isRestoring) log?.add(record);
    },
    onOverflow: (what) => fail(new Error(`The outage journal is full: ${what}`)),
  });
  const log: JournalLog | undefined =
    store && createJournalLog({ store, snapshot: () => journal.records(), onFailure: fail });

  /** What the writes are that the memory accepts now: a caller's, done at the primary perhaps, or nobody's. */
  let noting: Noting | undefined;
  const stopNoting = memory.onWrite((write) => {
    if (noting) journal.note(write, noting);
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

  return {
    journal,
    tell,
    async answer(commands, options, { fate, replaced } = { fate: "none", replaced: nothing }) {
      const before = journal.size.pending;
      const replies = run({ fate, replaced }, () => {
        for (const glob of options?.invalidates ?? []) journal.invalidate(glob, clock.now());
        return memory.send(commands, options);
      });
      // The memory must not serve what the primary has replaced.
      if (!replaced.isEmpty) tell(deletesOf(commands, replaced.has));
      const { pending } = journal.size;
      if (pending > before) events.kept.tell({ mutations: pending - before, pending });
      // A disk that hangs must not hold up the caller for ever.
      if (log) await within((options?.timeoutMs ?? defaultTimeoutMs) / 10, log.flush());
      return replies;
    },
    giveWay(commands, invalidates) {
      for (const glob of invalidates) {
        journal.invalidate(glob, clock.now());
        tell([dropMatching(glob)]);
      }
      const replacing = commands.filter(isReplacing);
      if (replacing.length === 0) return;
      journal.forget(keysIn(replacing));
      tell(deletesOf(replacing));
    },
    async takeUp() {
      if (!log) return;
      const records = await log.read();
      isRestoring = true;
      const write = (command: Command, as?: Noting): void => (as ? run(as, () => tell([command])) : tell([command]));
      restore(records, journal, clock.now(), write);
      isRestoring = false;
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
