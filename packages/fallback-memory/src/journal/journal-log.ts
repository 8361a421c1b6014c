import { createTimeSlices, hasLastingTimers, type JournalStore } from "@continuum-cache/core/kit";
import type { JournalCopy } from "./journal-copy.ts";
import { decodeRecord, encodeRecord, type JournalRecord } from "./journal-record.ts";

/** A journal's records in a store, so that they survive the process. */
export interface JournalLog {
  /** What the last process has left: all of it that can be read. What can't is told as a failure. */
  read(): Promise<JournalRecord[]>;
  add(record: JournalRecord): void;
  /** Resolves when all that was added is as durable as the store makes it. Never rejects: a failure is told. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface JournalLogOptions {
  readonly store: JournalStore;
  /** Whether the journal holds nothing. */
  readonly isEmpty: () => boolean;
  /** Begins a copy of all that the journal holds, in place of one that was under way. */
  readonly beginCopy: () => JournalCopy;
  readonly onFailure: (error: Error) => void;
}

/** The store is written anew when what was added since weighs this many bytes, and more than it did then by far. */
const rewriteAfter = { bytes: 8 << 20, timesWhatWasLeft: 4 };

/** A step of a copy looks at so many keys. */
const keysPerStep = 100;

/** A rewrite of the store that is being prepared. */
interface Rewriting {
  readonly copy: JournalCopy;
  /** What was added since the copy began. */
  readonly behind: Uint8Array[];
  /** Resolves when the store was written, well or not, or need not be any more. */
  done: Promise<void>;
}

/** A store that fails is left alone for so long. */
const retryAfterMs = 5_000;

export function createJournalLog({ store, isEmpty, beginCopy, onFailure }: JournalLogOptions): JournalLog {
  let added: Uint8Array[] = [];
  let bytesAdded = 0;
  let bytesLeft = 0;
  let isFailing = false;
  let failures = 0;
  let failedAt = 0;
  let last: Promise<void> = Promise.resolve();
  let rewriting: Rewriting | undefined;

  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (cause) {
      // One broken disk is told once, not with each write.
      if (!isFailing) onFailure(new Error("The outage journal can't be stored: a restart would lose it", { cause }));
      isFailing = true;
      failures++;
      failedAt = performance.now();
    }
  };

  const replaceBy = (records: readonly Uint8Array[]): Promise<void> => {
    bytesLeft = records.reduce((bytes, { length }) => bytes + length, 0);
    bytesAdded = 0;
    added = [];
    rewriting = undefined;
    const failuresBefore = failures;
    last = attempt(async () => {
      await store.rewrite(records);
      // What failed since is not in these records. An append that succeeds says nothing of one that failed before it.
      if (failures === failuresBefore) isFailing = false;
    });
    return last;
  };

  /**
   * Writes the store anew. The copy is made in slices. What is added meanwhile goes to the store as ever, so that it is durable at
   * once, and behind the copy.
   */
  const rewrite = async (own: Rewriting): Promise<void> => {
    const slices = createTimeSlices();
    while (own.copy.more(keysPerStep)) {
      // On the edge a pause may never end.
      const pause = hasLastingTimers() ? slices.yieldIfDue(keysPerStep) : undefined;
      if (pause) await pause;
      if (rewriting !== own) return;
    }
    await replaceBy(own.copy.encoded().concat(own.behind));
  };

  const begin = (): void => {
    const own: Rewriting = { copy: beginCopy(), behind: [], done: Promise.resolve() };
    rewriting = own;
    own.done = rewrite(own);
  };

  /** While the store fails, only a rewrite holds what was added. */
  const durable = (): Promise<void> => (isFailing && rewriting ? rewriting.done : last);

  return {
    async read() {
      const stored = await store.read();
      const records: JournalRecord[] = [];
      const slices = createTimeSlices();
      const damaged: number[] = [];
      for (const [at, bytes] of stored.entries()) {
        try {
          records.push(decodeRecord(bytes));
        } catch {
          // Its error would quote what is stored.
          damaged.push(at + 1);
        }
        const pause = slices.yieldIfDue();
        if (pause) await pause;
      }
      if (damaged.length > 0) onFailure(damagedError(damaged, stored.length));
      return records;
    },
    add(record) {
      const bytes = encodeRecord(record);
      added.push(bytes);
      rewriting?.behind.push(bytes);
      bytesAdded += bytes.length;
    },
    flush() {
      if (added.length === 0) return durable();
      const isLeftAlone = isFailing && performance.now() - failedAt < retryAfterMs;
      if (isEmpty() && !isLeftAlone) return replaceBy([]);
      if (isFailing) {
        // All of it is in the journal itself, which is written whole when the store is tried again.
        added = [];
        if (!isLeftAlone && !rewriting) begin();
        return durable();
      }
      if (!rewriting && bytesAdded > Math.max(rewriteAfter.bytes, bytesLeft * rewriteAfter.timesWhatWasLeft)) {
        begin();
      }
      if (added.length === 0) return last;
      const records = added;
      added = [];
      last = attempt(() => store.append(records));
      return last;
    },
    close() {
      // What was added is in the store already.
      rewriting = undefined;
      return store.close();
    },
  };
}

const damagedError = (damaged: readonly number[], all: number): Error =>
  new Error(
    `${damaged.length} of ${all} record(s) in the outage journal's store can't be read (the first is number ${damaged[0]}) and were left out: what they hold does not reach the primary. They were damaged, or written by a later version; check the store`,
  );
