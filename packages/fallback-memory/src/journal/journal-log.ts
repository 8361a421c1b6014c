import { createSlices } from "../breathe.ts";
import type { JournalStore } from "../journal-store.ts";
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
  /** All that the journal holds, as records. */
  readonly snapshot: () => Iterable<JournalRecord>;
  readonly onFailure: (error: Error) => void;
}

/** The store is written anew when what was added since weighs this many bytes, and more than it did then by far. */
const rewriteAfter = { bytes: 8 << 20, timesWhatWasLeft: 4 };

/** A store that fails is left alone for so long. */
const retryAfterMs = 5_000;

export function createJournalLog({ store, snapshot, onFailure }: JournalLogOptions): JournalLog {
  let added: Uint8Array[] = [];
  let bytesAdded = 0;
  let bytesLeft = 0;
  let isFailing = false;
  let failedAt = 0;
  let last: Promise<void> = Promise.resolve();

  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
      isFailing = false;
    } catch (cause) {
      // One broken disk is told once, not with each write.
      if (!isFailing) onFailure(new Error("The outage journal can't be stored: a restart would lose it", { cause }));
      isFailing = true;
      failedAt = performance.now();
    }
  };

  /** The records that a journal of now would be read from. */
  const whole = (): Uint8Array[] => {
    const records = [...snapshot()].map(encodeRecord);
    bytesLeft = records.reduce((bytes, { length }) => bytes + length, 0);
    bytesAdded = 0;
    added = [];
    return records;
  };

  return {
    async read() {
      const stored = await store.read();
      const records: JournalRecord[] = [];
      const slices = createSlices();
      const damaged: number[] = [];
      for (const [at, bytes] of stored.entries()) {
        try {
          records.push(decodeRecord(bytes));
        } catch {
          // Its error would quote what is stored.
          damaged.push(at + 1);
        }
        const pause = slices.pause();
        if (pause) await pause;
      }
      if (damaged.length > 0) onFailure(damagedError(damaged, stored.length));
      return records;
    },
    add(record) {
      const bytes = encodeRecord(record);
      added.push(bytes);
      bytesAdded += bytes.length;
    },
    flush() {
      if (added.length === 0) return last;
      if (isFailing && performance.now() - failedAt < retryAfterMs) {
        // All of it is in the journal itself, which is written whole when the store is tried again.
        added = [];
        return last;
      }
      const isDue = isFailing || bytesAdded > Math.max(rewriteAfter.bytes, bytesLeft * rewriteAfter.timesWhatWasLeft);
      const isEmpty = snapshot()[Symbol.iterator]().next().done === true;
      if (isDue || isEmpty) {
        const records = whole();
        last = attempt(() => store.rewrite(records));
      } else {
        const records = added;
        added = [];
        last = attempt(() => store.append(records));
      }
      return last;
    },
    close: () => store.close(),
  };
}

const damagedError = (damaged: readonly number[], all: number): Error =>
  new Error(
    `${damaged.length} of ${all} record(s) in the outage journal's store can't be read (the first is number ${damaged[0]}) and were left out: what they hold does not reach the primary. They were damaged, or written by a later version; check the store`,
  );
