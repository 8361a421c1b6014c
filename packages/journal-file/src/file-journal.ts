import { JournalError } from "./errors/journal-error.ts";
import { maxRecordBytes } from "./format/frame.ts";
import { type FileJournal, type FileJournalOptions, settingsFrom } from "./options.ts";
import { createCommitQueue } from "./writing/commit-queue.ts";
import type { JournalWriter } from "./writing/journal-writer.ts";
import { openJournal } from "./writing/open-journal.ts";

/** How long `close` waits for the disk. */
const closeMs = 5_000;

/**
 * A journal in an append-only file, for Node: the changes of an outage survive the end of the process.
 *
 * - A tail that a crash cut off is removed; all resolved appends are in front of it. Damage in the middle is always
 *   reported: `read` rejects, or calls `onDamage`.
 * - Only one store at a time may use the file. The lock of a dead process is taken over: at once if the process can
 *   be looked up, otherwise (it ran in another container) after 5 s without a heartbeat. Use a local disk: network
 *   file systems may show lock and heartbeat too late.
 * - An append that rejects keeps nothing, and later appends may succeed. After a failure that could damage the file
 *   (a partial record that could not be cut off, a failed fsync) appends reject until a `rewrite` succeeds. If the
 *   process dies right then, a rejected record may still be read later.
 * - `close` waits up to 5 s for work in progress.
 *
 * The file may not be a symbolic link. Access rights of other users to the file are removed.
 *
 * Errors are `JournalError`s that name the path and what to do; they quote nothing of a record.
 *
 * @throws ConfigError when an option is out of its range, or does not exist.
 *
 * @example
 * ```ts
 * import { fileJournal } from "@continuum-cache/journal-file";
 *
 * const journal = fileJournal({
 *   path: "/var/lib/app/outage.journal",
 *   onDamage: ({ path, offset, bytes, keptAs }) =>
 *     console.error(`${path}: ${bytes} bytes at ${offset} are lost; a copy is in ${keptAs}`),
 * });
 * const records = await journal.read(); // first of all; [] when it is new
 * await journal.append([new TextEncoder().encode("one more")]); // on the disk now
 * await journal.rewrite(records.slice(-10)); // these instead of all others
 * await journal.close();
 * ```
 */
export function fileJournal(options: FileJournalOptions): FileJournal {
  const settings = settingsFrom(options);
  const { path } = settings;
  const queue = createCommitQueue((records) => opened().append(records));
  let state: "new" | "read" | "closed" = "new";
  let writer: JournalWriter | undefined;
  let closing: Promise<void> | undefined;

  function misuse(what: string): JournalError {
    return new JournalError("misuse", path, `The journal ${path} ${what}`);
  }

  function opened(): JournalWriter {
    if (!writer) throw misuse("is not open: read() did not succeed");
    return writer;
  }

  function assertUsable(): void {
    if (state === "new") throw misuse("was not read yet: call read() first, so that nothing in it is overlooked");
    if (state === "closed") throw misuse("is closed: open a new store");
  }

  async function finish(): Promise<void> {
    const late = () => misuse(`was closed, but the disk did not finish within ${closeMs} ms`);
    const work = queue.idle().then(() => writer?.close());
    try {
      await within(closeMs, work, late);
    } finally {
      // After the deadline, calls that wait for the disk reject. Before it, none is left.
      queue.abandon(misuse("was closed before the disk had finished"));
    }
  }

  return {
    async read() {
      if (state === "closed") throw misuse("is closed: open a new store");
      if (state === "read") throw misuse("was read already: read() is called once, before anything else");
      state = "read";
      return queue.run(async () => {
        try {
          const journal = await openJournal(settings);
          writer = journal.writer;
          return journal.records;
        } catch (error) {
          // The caller may fix the cause and call read() again.
          if (state === "read") state = "new";
          throw error;
        }
      });
    },
    async append(records) {
      assertUsable();
      if (records.length > 0) await queue.append(copiesOf(records));
    },
    async rewrite(records) {
      assertUsable();
      const copies = copiesOf(records);
      await queue.run(() => opened().rewrite(copies));
    },
    close() {
      state = "closed";
      closing ??= finish();
      return closing;
    },
    stats: () => writer?.stats() ?? { records: 0, commits: 0, fsyncs: 0, rewrites: 0, bytes: 0 },
  };
}

/** Copies, since the caller may reuse its buffers before they are written. */
function copiesOf(records: readonly Uint8Array[]): Uint8Array[] {
  return records.map((record) => {
    if (!(record instanceof Uint8Array)) throw new TypeError("Expected a record to be a Uint8Array");
    if (record.length > maxRecordBytes) {
      throw new RangeError(`Expected a record to have at most ${maxRecordBytes} bytes, got ${record.length}`);
    }
    return new Uint8Array(record);
  });
}

/** Waits for work at most so long; the work is not stopped then. Leaves no timer behind. */
async function within<T>(timeoutMs: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), timeoutMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
