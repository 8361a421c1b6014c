import { createDelayedSync } from "./delayed-sync.ts";
import type { FileJournalSettings, FileJournalStats } from "./file-journal-options.ts";
import { JournalError } from "./journal-error.ts";
import { assertUnchanged, type OpenFile } from "./open-file.ts";
import { lockJournal, type OwnerLock } from "./owner-lock.ts";
import { replaceFile, syncFolderOf } from "./replace-file.ts";
import { storageError } from "./storage-error.ts";
import { writeRecords } from "./write-records.ts";

/** Writes to a journal file. No two of its calls may run side by side. */
export interface JournalWriter {
  append(records: readonly Uint8Array[]): Promise<void>;
  rewrite(records: readonly Uint8Array[]): Promise<void>;
  close(): Promise<void>;
  stats(): FileJournalStats;
}

/**
 * @param path - Without symbolic links in it: a rename must replace the file, not a link to it.
 * @param firstFile - The file that is there; where there is none, the first call must be `rewrite`.
 */
export function createJournalWriter(
  path: string,
  { fsync, fsyncIntervalMs }: Pick<FileJournalSettings, "fsync" | "fsyncIntervalMs">,
  firstLock: OwnerLock,
  firstFile: OpenFile | undefined,
): JournalWriter {
  let lock = firstLock;
  let file = firstFile;
  /** Why nothing may come behind what is in the file; a rewrite clears it. */
  let refusal: Error | undefined;
  const counts = { records: 0, commits: 0, fsyncs: 0, rewrites: 0 };
  const delayedSync = createDelayedSync(fsyncIntervalMs, () => sync().catch(() => undefined));

  /** After a failure the system may have dropped what it could not write: only to write all anew is safe then. */
  async function sync(): Promise<void> {
    const handle = file?.handle;
    try {
      counts.fsyncs += 1;
      await handle?.datasync();
    } catch (cause) {
      const error = storageError(path, "make durable what was appended to", cause, "It takes nothing until rewrite().");
      // A rewrite may have replaced this file meanwhile, and made good what failed here.
      if (file?.handle === handle) refusal = error;
      throw error;
    }
  }

  /** Half a record in front of a good one would be damage: it is cut off, or nothing may come behind it. */
  async function cutBack({ handle, end }: OpenFile, cause: unknown): Promise<Error> {
    try {
      await handle.truncate(end);
      return storageError(path, "append to", cause, "Nothing of it was kept; what was there before stands.");
    } catch {
      // The first error says better what to mend.
      refusal = storageError(path, "append to", cause, "It takes nothing until rewrite().");
      return refusal;
    }
  }

  return {
    async append(records) {
      if (refusal) throw refusal;
      if (!file) throw new JournalError("misuse", path, `The journal ${path} is not open: read() did not succeed`);
      const before = file;
      await assertUnchanged(path, before).catch((cause) => {
        throw storageError(path, "append to", cause);
      });
      try {
        file = { ...before, end: await writeRecords(before.handle, records, before.salt, before.end) };
      } catch (cause) {
        throw await cutBack(before, cause);
      }
      if (fsync === "always") {
        await sync().catch(async (error) => {
          // It is rejected, so it should not be read later; where it is all the same, it is whole.
          await before.handle.truncate(before.end).catch(() => undefined);
          throw error;
        });
      }
      if (fsync === "interval") delayedSync.soon();
      counts.records += records.length;
      counts.commits += 1;
    },

    async rewrite(records) {
      const old = file;
      try {
        // It may be gone together with its folder; should another process have taken over, this rejects.
        if (!(await lock.isHeld())) {
          await lock.release();
          lock = await lockJournal(path);
        }
        file = await replaceFile(path, lock.id, records, old?.handle);
      } catch (cause) {
        throw storageError(path, "rewrite", cause, "What was there before stands.");
      }
      refusal = undefined;
      counts.rewrites += 1;
      await delayedSync.stop();
      // Nothing that an error could tell about the old file matters any more.
      await old?.handle.close().catch(() => undefined);
      try {
        await syncFolderOf(path);
      } catch (cause) {
        refusal = storageError(
          path,
          "make durable the rewrite of",
          cause,
          "It takes nothing until the next rewrite().",
        );
        throw refusal;
      }
    },

    async close() {
      try {
        if ((await delayedSync.stop()) && !refusal) await sync();
        await file?.handle.close();
      } finally {
        await lock.release();
      }
      if (fsync === "interval" && refusal) throw refusal;
    },

    stats: () => ({ ...counts, bytes: file?.end ?? 0 }),
  };
}
