import { randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { codeOf } from "../errors/storage-error.ts";
import { headerFor } from "../format/file-header.ts";
import { assertReplaceable, type OpenFile } from "./open-file.ts";
import { writeFully, writeRecords } from "./write-records.ts";

/**
 * Replaces the journal file by a new one with these records, by a rename: at any time the path leads to the old file
 * or to the new one. The new file is synced before the rename; `syncFolderOf` syncs the rename.
 *
 * @param id - The owner's, for the temporary name of the new file.
 * @param old - The file that is there, open.
 */
export async function replaceFile(
  path: string,
  id: string,
  records: readonly Uint8Array[],
  old: FileHandle | undefined,
): Promise<OpenFile> {
  const temporary = temporaryName(path, id);
  // "wx" fails if the name exists: in a folder that other users may write to, it could be a link.
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
    // The first error is reported; the new file was never in use.
    await handle.close().catch(() => undefined);
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** The name of a file until it is complete. @param id - The owner's. */
export const temporaryName = (path: string, id: string): string => `${path}.${id}.new`;

/** Syncs a rename to the disk, if the system can sync folders (Windows and some network file systems can't). */
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

/** Removes the temporary files of interrupted rewrites. Only the owner of the journal may call it. */
export async function removeLeftovers(path: string): Promise<void> {
  const prefix = `${basename(path)}.`;
  const names = await readdir(dirname(path));
  const leftovers = names.filter(
    (name) => name.startsWith(prefix) && /^\d+-[0-9a-f]{8}\.new$/.test(name.slice(prefix.length)),
  );
  // A file that stays does no harm; the next start tries again.
  await Promise.all(leftovers.map((name) => unlink(join(dirname(path), name)).catch(() => undefined)));
}
