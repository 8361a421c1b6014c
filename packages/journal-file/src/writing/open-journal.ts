import { constants } from "node:fs";
import { copyFile, type FileHandle, realpath, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { callListener } from "@continuum-cache/core/kit";
import { JournalError } from "../errors/journal-error.ts";
import { storageError } from "../errors/storage-error.ts";
import { openIfThere } from "../files/open-file.ts";
import { removeLeftovers, temporaryName } from "../files/replace-file.ts";
import { type JournalContents, type Stretch, scanJournal } from "../format/journal-scan.ts";
import { lockJournal, type OwnerLock } from "../lock/owner-lock.ts";
import type { FileJournalSettings } from "../options.ts";
import { createJournalWriter, type JournalWriter } from "./journal-writer.ts";

/** A journal file that is locked, checked, and ready for appends. */
export interface OpenJournal {
  readonly writer: JournalWriter;
  /** The records that it held. */
  readonly records: readonly Uint8Array[];
}

/** Locks, reads and repairs a journal file, or creates it. On failure nothing is left open or locked. */
export async function openJournal(settings: FileJournalSettings): Promise<OpenJournal> {
  try {
    const path = await withoutLinks(settings.path);
    const lock = await lockJournal(path);
    try {
      return await openLocked(path, lock, settings);
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (cause) {
    throw storageError(settings.path, "open", cause);
  }
}

async function openLocked(path: string, lock: OwnerLock, settings: FileJournalSettings): Promise<OpenJournal> {
  await removeLeftovers(path);
  const handle = await openIfThere(path);
  let writer: JournalWriter | undefined;
  try {
    const found = handle && (await contentsOf(handle, path));
    const { records, salt, end, damage } = found ?? nothing;
    if (damage.length > 0) await report(settings, path, lock.id, damage);
    writer = createJournalWriter(path, settings, lock, handle && { handle, salt, end });
    // A silent owner may still have the old file open. A new file takes its place, so that it never writes to the one
    // in use.
    if (!found || damage.length > 0 || lock.mayWake) await writer.rewrite(records);
    else await handle?.truncate(end);
    return { writer, records };
  } catch (error) {
    // The first error is reported.
    await (writer ?? handle)?.close().catch(() => undefined);
    throw error;
  }
}

/** The path with all links to its folder resolved, so that each path to a file leads to the same lock. */
const withoutLinks = async (path: string): Promise<string> => join(await realpath(dirname(path)), basename(path));

const nothing: JournalContents = { records: [], salt: 0, end: 0, damage: [] };

/** The contents of the file; `undefined` if it has no complete header. */
async function contentsOf(handle: FileHandle, path: string): Promise<JournalContents | undefined> {
  const scan = await scanJournal(await handle.readFile());
  if (scan.kind === "foreign") {
    throw new JournalError(
      "foreign",
      path,
      `${path} is no journal and was not touched: give the journal a path of its own, or move that file away`,
    );
  }
  if (scan.kind === "later-version") {
    throw new JournalError(
      "foreign",
      path,
      `The journal ${path} was written by a later version of this package and was not touched: ` +
        "update the package, or move the file away",
    );
  }
  return scan.kind === "journal" ? scan : undefined;
}

async function report(
  { onDamage }: FileJournalSettings,
  path: string,
  id: string,
  damage: readonly Stretch[],
): Promise<void> {
  const [first] = damage;
  if (!onDamage) {
    const bytes = damage.reduce((sum, stretch) => sum + stretch.bytes, 0);
    throw new JournalError(
      "damaged",
      path,
      `The journal ${path} is damaged at byte ${first?.offset} (${damage.length} stretch(es), ${bytes} bytes in all) ` +
        "and was not touched: check the disk, then pass `onDamage` to continue with the records that can be read, " +
        "or move the file away to begin with none",
    );
  }
  const keptAs = `${path}.damaged`;
  // By a rename, which replaces a link at that path; a copy would be written through it.
  const temporary = temporaryName(path, id);
  await copyFile(path, temporary, constants.COPYFILE_EXCL);
  await rename(temporary, keptAs);
  for (const stretch of damage) callListener(() => onDamage({ path, ...stretch, keptAs }));
}
