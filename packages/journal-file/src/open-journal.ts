import { constants } from "node:fs";
import { copyFile, type FileHandle, realpath, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { callListener } from "@continuum-cache/core/kit";
import type { FileJournalSettings } from "./file-journal-options.ts";
import { JournalError } from "./journal-error.ts";
import { type JournalContents, type Stretch, scanJournal } from "./journal-scan.ts";
import { createJournalWriter, type JournalWriter } from "./journal-writer.ts";
import { openIfThere } from "./open-file.ts";
import { lockJournal, type OwnerLock } from "./owner-lock.ts";
import { removeLeftovers, temporaryName } from "./replace-file.ts";
import { storageError } from "./storage-error.ts";

/** A journal file that is this store's alone, in order, and ready to be appended to. */
export interface OpenJournal {
  readonly writer: JournalWriter;
  /** What it held. */
  readonly records: readonly Uint8Array[];
}

/** Locks, reads and mends a journal file; makes it when there is none. On failure nothing is left open or locked. */
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
    // An owner that might wake has the old file open still. It must not meet it: what it writes then is nobody's.
    if (!found || damage.length > 0 || lock.mayWake) await writer.rewrite(records);
    else await handle?.truncate(end);
    return { writer, records };
  } catch (error) {
    // That error is the one to report.
    await (writer ?? handle)?.close().catch(() => undefined);
    throw error;
  }
}

/** The path with the links to its folder followed, so that two ways to the same file meet at the same lock. */
const withoutLinks = async (path: string): Promise<string> => join(await realpath(dirname(path)), basename(path));

const nothing: JournalContents = { records: [], salt: 0, end: 0, damage: [] };

/** What the file holds; undefined when there is not so much as a header. */
async function contentsOf(handle: FileHandle, path: string): Promise<JournalContents | undefined> {
  const scan = await scanJournal(await handle.readFile());
  if (scan.kind === "foreign") {
    throw new JournalError(
      "foreign",
      path,
      `${path} holds something else than a journal and was not touched: give the journal a path of its own, or move that file away`,
    );
  }
  if (scan.kind === "later-version") {
    throw new JournalError(
      "foreign",
      path,
      `The journal ${path} was written by a later version of this package and was not touched: update the package, or move the file away`,
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
      `The journal ${path} is damaged at byte ${first?.offset} (${damage.length} stretch(es), ${bytes} bytes in all) and was not touched: look after the disk, and pass \`onDamage\` to go on with the records that can be read, or move the file away to begin with none`,
    );
  }
  const keptAs = `${path}.damaged`;
  // By a rename, which replaces what stands there: a copy would be written through a link.
  const temporary = temporaryName(path, id);
  await copyFile(path, temporary, constants.COPYFILE_EXCL);
  await rename(temporary, keptAs);
  for (const stretch of damage) callListener(() => onDamage({ path, ...stretch, keptAs }));
}
