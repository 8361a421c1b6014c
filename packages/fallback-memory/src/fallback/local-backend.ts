import type { Clock, Command, Reply, SendOptions } from "@continuum-cache/core";
import {
  defaultTimeoutMs,
  isReplacing,
  isWrite,
  type JournalStore,
  keysIn,
  keysOf,
  settlesWithin,
  type WrittenKeys,
} from "@continuum-cache/core/kit";
import type { MemoryTransport } from "@continuum-cache/transport-memory";
import { isUnsupported, toBulk } from "@continuum-cache/transport-memory/kit";
import type { BackendEvents } from "../failover/backend-events.ts";
import { createJournalLog, type JournalLog } from "../journal/journal-log.ts";
import { createOutageJournal, type JournalBounds, type OutageJournal } from "../journal/outage-journal.ts";
import { restoreJournal } from "../journal/restore.ts";
import type { WriteContext } from "../journal/write-context.ts";
import type { LastSeenValues } from "../last-seen/last-seen-values.ts";
import { flushRefused, journalIsFull, localRefusal, notSupported, refusedLocally } from "./local-refusals.ts";
import type { Unanswered } from "./primary-trips.ts";
import { continuesScan } from "./scan-deletes.ts";
import { warmStart } from "./warm-start.ts";

/** Answers trips from the local memory, and journals what they write. */
export interface LocalBackend {
  readonly journal: OutageJournal;
  /**
   * Answers a trip, and journals what it writes.
   *
   * @param unanswered - What is known of the trip if it was sent to the primary before.
   * @throws TransportError when the memory can't answer as a Redis would, and when the journal has no room for the
   * trip.
   */
  answer(commands: readonly Command[], options: SendOptions | undefined, unanswered?: Unanswered): Promise<Reply[]>;
  /**
   * The primary has run these commands after all: what they replaced is neither served here nor replayed any more.
   * Keys that match `invalidates` and were written here meanwhile go too, since the primary's scan could not find
   * them.
   *
   * @returns how many mutations are superseded.
   */
  applyPrimaryWrite(commands: readonly Command[], invalidates: readonly string[]): number;
  /** Runs commands on the memory that the primary need not know. */
  runUnjournaled(commands: readonly Command[]): void;
  /** Restores the journal that an earlier process has left in the store, and the memory with it. */
  restore(): Promise<void>;
  /** Resolves when the store has the journal as it is now; at once if there is no store. */
  persisted(): Promise<void>;
  /** Stops journaling. */
  close(): Promise<void>;
}

export interface LocalBackendOptions {
  readonly memory: MemoryTransport;
  readonly lastSeen: LastSeenValues;
  readonly bounds: JournalBounds;
  readonly store: JournalStore | undefined;
  /** The most age of a last seen value that is served; `undefined`: none is served. */
  readonly warmStartMs: number | undefined;
  readonly events: BackendEvents;
  readonly clock: Clock;
}

export function createLocalBackend(options: LocalBackendOptions): LocalBackend {
  const { memory, lastSeen, warmStartMs, events, clock } = options;
  let isFull = false;
  const { journal, log, run, restore, close } = createJournaledMemory(options);
  const runUnjournaled = unjournaled(memory);

  /**
   * Why the writes of a trip are refused for lack of room, if they are. Each caller gets the error; listeners get it
   * once.
   */
  const fullness = (commands: readonly Command[], globs: readonly string[]): string | undefined => {
    const wasFull = isFull;
    isFull = !journal.hasRoomFor(commands, globs);
    if (isFull && !wasFull) events.failure.notify({ operation: "journal", error: new Error(journalIsFull) });
    return isFull ? journalIsFull : undefined;
  };

  return {
    journal,
    runUnjournaled,
    async answer(commands, options, { delivery, replaced } = { delivery: "none", replaced: nothing }) {
      const globs = options?.invalidates ?? [];
      const refusal = localRefusal(commands) ?? fullness(commands, globs);
      if (refusal !== undefined) throw refusedLocally(refusal, delivery);
      if (warmStartMs !== undefined) {
        runUnjournaled(warmStart(commands, lastSeen, (key) => journal.holds(key), clock.now(), warmStartMs));
      }
      const before = journal.size.pending;
      const { result: answer, isFlushed } = run({ delivery, replaced }, () => {
        for (const glob of globs) {
          const isNew = journal.invalidate(glob, clock.now(), !continuesScan(commands));
          // A scan that began at the primary would not find the keys that are here.
          if (isNew && continuesScan(commands)) void memory.forget(glob);
        }
        return memory.send(commands, options);
      });
      // The memory must not serve what the primary has replaced.
      if (!replaced.isEmpty) runUnjournaled(deletesOf(commands, replaced.has));
      const { pending } = journal.size;
      if (pending > before) events.kept.notify({ mutations: pending - before, pending });
      // A disk that hangs must not delay the caller for ever.
      if (log) await settlesWithin((options?.timeoutMs ?? defaultTimeoutMs) / 10, log.flush());
      const replies = await answer;
      // Only a script gets here with a flush, and then a part of the trip may have run.
      if (isFlushed) throw refusedLocally(flushRefused, "unknown");
      const lack = replies.find(isUnsupported);
      if (lack) throw refusedLocally(notSupported(lack.message), "unknown");
      return replies;
    },
    applyPrimaryWrite(commands, invalidates) {
      for (const glob of invalidates) {
        // The primary answered its caller, so it is no pending mutation.
        journal.invalidate(glob, clock.now(), true, 0);
        void memory.forget(glob);
      }
      const replacing = commands.filter(isReplacing);
      runUnjournaled(deletesOf(replacing));
      const keys = replacing.map(keysOf).filter((each) => each !== "database");
      return keys.flat().reduce((all, key) => all + journal.forget(toBulk(key)), 0);
    },
    restore,
    persisted: async () => log?.flush(),
    close,
  };
}

/** DEL commands for the keys that these commands write, or for those that pass the test. */
export function deletesOf(commands: readonly Command[], test: (key: string) => boolean = () => true): Command[] {
  return commands.filter(isWrite).flatMap((command): Command[] => {
    const keys = keysOf(command);
    if (keys === "database") return [["FLUSHDB"]];
    return keys.filter(test).map((key) => ["DEL", key]);
  });
}

/** A memory, the journal of its writes, and the store of that journal. */
interface JournaledMemory extends Pick<LocalBackend, "journal" | "restore" | "close"> {
  readonly log: JournalLog | undefined;
  /**
   * Runs `work` on the memory and journals its writes with this context. The memory runs a trip from beginning to end
   * before it returns, so each write that it reports meanwhile belongs to this trip.
   */
  run<Result>(as: WriteContext, work: () => Result): { readonly result: Result; readonly isFlushed: boolean };
}

function createJournaledMemory({
  memory,
  lastSeen,
  bounds,
  store,
  events,
  clock,
}: LocalBackendOptions): JournaledMemory {
  const runUnjournaled = unjournaled(memory);
  /** How to journal the writes of the trip that is running; `undefined`: do not journal them. */
  let context: WriteContext | undefined;
  /** Expiry times that the memory is given after the trip. */
  let inherited: Command[] = [];
  let isFlushed = false;
  let isRestoring = false;

  const journal: OutageJournal = createOutageJournal({
    bounds,
    lastSeen: (key) => lastSeen.latest(key),
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
      onFailure: (error) => events.failure.notify({ operation: "journal", error }),
    });
  const stopListening = memory.onWrite((write) => {
    if (context && !journal.record(write, context)) isFlushed = true;
  });

  const run: JournaledMemory["run"] = (as, work) => {
    context = as;
    isFlushed = false;
    try {
      return { result: work(), isFlushed };
    } finally {
      context = undefined;
      if (inherited.length > 0) runUnjournaled(inherited);
      inherited = [];
    }
  };

  return {
    journal,
    log,
    run,
    async restore() {
      if (!log) return;
      const records = await log.read();
      isRestoring = true;
      try {
        await restoreJournal(records, journal, clock.now(), (command, as) => {
          if (as) run(as, () => runUnjournaled([command]));
          else runUnjournaled([command]);
        });
      } finally {
        isRestoring = false;
      }
    },
    async close() {
      stopListening();
      await log?.flush();
      await log?.close();
    },
  };
}

/** Runs commands on a memory and ignores the answer: only a closed memory refuses, and it answers nothing more. */
const unjournaled =
  (memory: MemoryTransport): LocalBackend["runUnjournaled"] =>
  (commands) => {
    memory.send(commands).catch(() => {});
  };

const nothing: WrittenKeys = keysIn([]);
