import { JournalError } from "../errors/journal-error.ts";
import { storageError } from "../errors/storage-error.ts";
import { assertUnchanged, type OpenFile } from "../files/open-file.ts";
import { replaceFile, syncFolderOf } from "../files/replace-file.ts";
import { writeRecords } from "../files/write-records.ts";
import { lockJournal, type OwnerLock } from "../lock/owner-lock.ts";
import type { FileJournalSettings, FileJournalStats } from "../options.ts";

/** Writes to a journal file. Calls must not overlap. */
export interface JournalWriter {
  append(records: readonly Uint8Array[]): Promise<void>;
  rewrite(records: readonly Uint8Array[]): Promise<void>;
  close(): Promise<void>;
  stats(): FileJournalStats;
}

/**
 * @param path - Without symbolic links: a rename must replace the file, not a link to it.
 * @param firstFile - The existing file; if there is none, the first call must be `rewrite`.
 */
export function createJournalWriter(
  path: string,
  { fsync, fsyncIntervalMs }: Pick<FileJournalSettings, "fsync" | "fsyncIntervalMs">,
  firstLock: OwnerLock,
  firstFile: OpenFile | undefined,
): JournalWriter {
  let lock = firstLock;
  let file = firstFile;
  /** Why appends are refused; a rewrite clears it. */
  let refusal: Error | undefined;
  const counts = { records: 0, commits: 0, fsyncs: 0, rewrites: 0 };
  const delayedSync = createDelayedSync(fsyncIntervalMs, () => sync().catch(() => undefined));

  /** After a failed sync the system may have dropped data that it could not write: only a rewrite is safe then. */
  async function sync(): Promise<void> {
    const handle = file?.handle;
    try {
      counts.fsyncs += 1;
      await handle?.datasync();
    } catch (cause) {
      const error = storageError(path, "make durable what was appended to", cause, "It takes nothing until rewrite().");
      // A rewrite may have replaced this file meanwhile; then the failure no longer matters.
      if (file?.handle === handle) refusal = error;
      throw error;
    }
  }

  /** Cuts off a partial record. If that fails, appends are refused: a record after it would make it damage. */
  async function cutBack({ handle, end }: OpenFile, cause: unknown): Promise<Error> {
    try {
      await handle.truncate(end);
      return storageError(path, "append to", cause, "Nothing of it was kept; what was there before stands.");
    } catch {
      // The first error says better what to fix.
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
          // A rejected append should not be read later. If it is read all the same, it is complete.
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
        // The lock may have been removed with its folder. If another process has taken over, this rejects.
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
      // The old file no longer matters.
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

/** Runs `sync` some time after a call of `soon`, once for all calls meanwhile. */
interface DelayedSync {
  soon(): void;
  /** Waits for a running sync, and cancels one that is scheduled. @returns whether one was scheduled. */
  stop(): Promise<boolean>;
}

/** @param sync - Must not reject. */
function createDelayedSync(delayMs: number, sync: () => Promise<void>): DelayedSync {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> | undefined;

  return {
    soon() {
      if (timer !== undefined) return;
      timer = setTimeout(() => {
        timer = undefined;
        running = Promise.all([running, sync()]).then(() => undefined);
      }, delayMs);
      // A process that ends loses nothing: the operating system has all data.
      timer.unref();
    },
    async stop() {
      const wasDue = timer !== undefined;
      clearTimeout(timer);
      timer = undefined;
      await running;
      return wasDue;
    },
  };
}
