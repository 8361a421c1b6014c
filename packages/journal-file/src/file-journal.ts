import { createCommitQueue } from "./commit-queue.ts";
import { type FileJournal, type FileJournalOptions, settingsFrom } from "./file-journal-options.ts";
import { maxRecordBytes } from "./frame.ts";
import { JournalError } from "./journal-error.ts";
import type { JournalWriter } from "./journal-writer.ts";
import { openJournal } from "./open-journal.ts";
import { within } from "./within.ts";

/** How long `close` waits for the disk. */
const closeMs = 5_000;

/**
 * A journal in an append-only file, for Node: what was kept during an outage survives the end of the process.
 *
 * - A tail that a crash cut off is recognised and cut away; what an append resolved for is in front of it. Damage in the
 *   middle is never passed over in silence: `read` rejects, or tells `onDamage`.
 * - Only one store at a time has the file. A lock that a dead process left is taken over, at once where its process can
 *   be looked up, otherwise (it ran in another container) after 5 s without a sign of life. Use a local disk: network
 *   file systems may show both too late.
 * - An append that rejects keeps nothing, and later ones may succeed; where that can't be warranted (half a record that
 *   could not be cut off, a failed fsync) they reject until a `rewrite` succeeds. Should the process die right then, what
 *   was rejected may be read all the same.
 * - `close` waits up to 5 s for what is under way.
 *
 * A symbolic link in the place of the file is not followed, and the rights of others are taken away from it.
 *
 * Errors are `JournalError`s that name the path and what to do, and nothing of a record.
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
      // After the deadline, whoever waits for the disk is told; otherwise nobody waits.
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
          // Whoever has mended what was wrong may try again.
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

/** The caller may use its buffers again before they are written. */
function copiesOf(records: readonly Uint8Array[]): Uint8Array[] {
  return records.map((record) => {
    if (!(record instanceof Uint8Array)) throw new TypeError("Expected a record to be a Uint8Array");
    if (record.length > maxRecordBytes) {
      throw new RangeError(`Expected a record to have at most ${maxRecordBytes} bytes, got ${record.length}`);
    }
    return new Uint8Array(record);
  });
}
