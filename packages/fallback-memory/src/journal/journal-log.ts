import { createTimeSlices, hasLastingTimers, type JournalStore } from "@continuum-cache/core/kit";
import type { JournalCopy } from "./journal-copy.ts";
import { decodeRecord, encodeRecord, type JournalRecord } from "./journal-record.ts";

/** The records of a journal in a store, so that they survive the process. */
export interface JournalLog {
  /** The records that the last process has left. Records that can't be read are left out and reported as a failure. */
  read(): Promise<JournalRecord[]>;
  add(record: JournalRecord): void;
  /** Resolves when the store has all records that were added. Never rejects: failures are reported. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface JournalLogOptions {
  readonly store: JournalStore;
  /** Whether the journal holds nothing. */
  readonly isEmpty: () => boolean;
  /** Begins a copy of the journal. A copy that was in progress ends. */
  readonly beginCopy: () => JournalCopy;
  readonly onFailure: (error: Error) => void;
}

/** The store is rewritten when so many bytes were appended, and so many times the bytes of the last rewrite. */
const rewriteAfter = { bytes: 8 << 20, timesLastRewrite: 4 };

/** How many keys one step of a copy takes. */
const keysPerStep = 100;

/** The time between two attempts while the store fails. */
const retryAfterMs = 5_000;

/** While the store fails, records are dropped: the journal itself holds them, and a rewrite stores all of it. */
type Health = { readonly kind: "healthy" } | { readonly kind: "failing"; readonly failedAtMs: number };

/** A rewrite of the store that is being prepared. */
interface Rewrite {
  readonly copy: JournalCopy;
  /** The records that were added since the copy began. */
  readonly added: Uint8Array[];
  /** Resolves when the rewrite has ended, with or without success. */
  done: Promise<void>;
}

export function createJournalLog(options: JournalLogOptions): JournalLog {
  return new StoredLog(options);
}

class StoredLog implements JournalLog {
  readonly #options: JournalLogOptions;
  /** Encoded records that the store does not have. */
  #added: Uint8Array[] = [];
  /** Bytes that were appended since the last rewrite, and bytes of that rewrite. */
  readonly #bytes = { appended: 0, rewritten: 0 };
  #health: Health = { kind: "healthy" };
  #rewrite: Rewrite | undefined;
  /** The latest work of the store. */
  #latest: Promise<void> = Promise.resolve();

  constructor(options: JournalLogOptions) {
    this.#options = options;
  }

  async read(): Promise<JournalRecord[]> {
    const { store, onFailure } = this.#options;
    const stored = await store.read();
    const records: JournalRecord[] = [];
    const damaged: number[] = [];
    const slices = createTimeSlices();
    for (const [at, bytes] of stored.entries()) {
      try {
        records.push(decodeRecord(bytes));
      } catch {
        // The error is dropped: it would quote stored values.
        damaged.push(at + 1);
      }
      const pause = slices.yieldIfDue();
      if (pause) await pause;
    }
    if (damaged.length > 0) onFailure(damagedError(damaged, stored.length));
    return records;
  }

  add(record: JournalRecord): void {
    const bytes = encodeRecord(record);
    this.#added.push(bytes);
    this.#rewrite?.added.push(bytes);
    this.#bytes.appended += bytes.length;
  }

  flush(): Promise<void> {
    if (this.#added.length === 0) return this.#durable();
    const isPaused = this.#health.kind === "failing" && performance.now() - this.#health.failedAtMs < retryAfterMs;
    if (this.#options.isEmpty() && !isPaused) return this.#replaceBy([]);
    if (this.#health.kind === "failing") {
      this.#added = [];
      if (!isPaused && !this.#rewrite) this.#beginRewrite();
      return this.#durable();
    }
    if (!this.#rewrite && this.#isRewriteDue()) this.#beginRewrite();
    if (this.#added.length === 0) return this.#latest;
    const records = this.#added;
    this.#added = [];
    this.#latest = this.#attempt(() => this.#options.store.append(records));
    return this.#latest;
  }

  close(): Promise<void> {
    // The store has all records already, so a rewrite may stop here.
    this.#rewrite = undefined;
    return this.#options.store.close();
  }

  /** While the store fails, only a rewrite stores what was added. */
  #durable(): Promise<void> {
    return this.#health.kind === "failing" && this.#rewrite ? this.#rewrite.done : this.#latest;
  }

  #isRewriteDue(): boolean {
    const { appended, rewritten } = this.#bytes;
    return appended > Math.max(rewriteAfter.bytes, rewritten * rewriteAfter.timesLastRewrite);
  }

  #beginRewrite(): void {
    const rewrite: Rewrite = { copy: this.#options.beginCopy(), added: [], done: Promise.resolve() };
    this.#rewrite = rewrite;
    rewrite.done = this.#finishRewrite(rewrite);
  }

  /**
   * Rewrites the store. The copy is made in slices. Records that are added meanwhile are appended to the store as
   * usual, so that they are durable at once, and also follow the copy.
   */
  async #finishRewrite(rewrite: Rewrite): Promise<void> {
    const slices = createTimeSlices();
    while (rewrite.copy.more(keysPerStep)) {
      // On the edge a pause may never end.
      const pause = hasLastingTimers() ? slices.yieldIfDue(keysPerStep) : undefined;
      if (pause) await pause;
      if (this.#rewrite !== rewrite) return;
    }
    await this.#replaceBy(rewrite.copy.encoded().concat(rewrite.added));
  }

  #replaceBy(records: readonly Uint8Array[]): Promise<void> {
    this.#bytes.rewritten = records.reduce((bytes, { length }) => bytes + length, 0);
    this.#bytes.appended = 0;
    this.#added = [];
    this.#rewrite = undefined;
    const before = this.#health;
    this.#latest = this.#attempt(async () => {
      await this.#options.store.rewrite(records);
      // Records that failed since are not in this rewrite, so the store is still incomplete then. An append that
      // succeeds proves nothing about one that failed before it.
      if (this.#health === before) this.#health = { kind: "healthy" };
    });
    return this.#latest;
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      // A broken disk is reported once, not with each write.
      if (this.#health.kind === "healthy") {
        this.#options.onFailure(
          new Error("The outage journal can't be stored: a restart would lose it. Check the disk, or the store", {
            cause,
          }),
        );
      }
      this.#health = { kind: "failing", failedAtMs: performance.now() };
    }
  }
}

const damagedError = (damaged: readonly number[], all: number): Error =>
  new Error(
    `${damaged.length} of ${all} record(s) in the outage journal's store can't be read ` +
      `(the first is number ${damaged[0]}) and were left out: what they hold does not reach the primary. ` +
      "They were damaged, or written by a later version; check the store",
  );
