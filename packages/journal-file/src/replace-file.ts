import { randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { headerFor } from "./file-header.ts";
import { assertReplaceable, type OpenFile } from "./open-file.ts";
import { codeOf } from "./storage-error.ts";
import { writeFully, writeRecords } from "./write-records.ts";

/**
 * Puts a new journal file with these records where the old one is, if there is one, by a rename: whoever opens the path
 * finds either. The new file is on the disk by then; that the rename is too takes `syncFolderOf`.
 *
 * @param id - The owner's, for the name that the new file has at first.
 * @param old - The file that is there, open.
 */
export async function replaceFile(
  path: string,
  id: string,
  records: readonly Uint8Array[],
  old: FileHandle | undefined,
): Promise<OpenFile> {
  const temporary = temporaryName(path, id);
  // "wx": in a folder where others may write too, nobody can put a link here for us to write through.
  const handle = await open(temporary, "wx+", 0o600);
  try {
    const salt = randomBytes(4).readUInt32LE();
    const header = headerFor(salt);
    await writeFully(handle, header, 0);
    const end = await writeRecords(handle, records, salt, header.length);
    await handle.sync();
    await assertReplaceable(path, old);
    await rename(temporary, path);
    return { handle, salt, end };
  } catch (error) {
    // That error is the one to report; this file never counted.
    await handle.close().catch(() => undefined);
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** What a file is called until it is whole. @param id - The owner's. */
export const temporaryName = (path: string, id: string): string => `${path}.${id}.new`;

/** Makes a rename last. Where folders can't be synced (Windows, some network file systems) the file system does what it does. */
export async function syncFolderOf(path: string): Promise<void> {
  let folder: FileHandle | undefined;
  try {
    folder = await open(dirname(path), "r");
    await folder.sync();
  } catch (error) {
    if (!["EINVAL", "ENOTSUP", "EISDIR", "EPERM"].includes(codeOf(error) ?? "")) throw error;
  } finally {
    await folder?.close();
  }
}

/** Removes what rewrites left behind that did not come to their end. Only for the owner of the journal. */
export async function removeLeftovers(path: string): Promise<void> {
  const prefix = `${basename(path)}.`;
  const names = await readdir(dirname(path));
  const leftovers = names.filter(
    (name) => name.startsWith(prefix) && /^\d+-[0-9a-f]{8}\.new$/.test(name.slice(prefix.length)),
  );
  // One that stays takes room and nothing else; the next start tries again.
  await Promise.all(leftovers.map((name) => unlink(join(dirname(path), name)).catch(() => undefined)));
}
