import { constants } from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";
import { JournalError } from "../errors/journal-error.ts";
import { codeOf } from "../errors/storage-error.ts";

/** A journal file that is open for writing. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly salt: number;
  /** Where the next frame goes: the end of the file. */
  readonly end: number;
}

/** Missing on Windows, where only an administrator may create a link. */
const noFollow = constants.O_NOFOLLOW ?? 0;

/**
 * Opens the file, if it exists, and removes the access rights of other users, since it holds values. A link is not
 * followed: in a folder that other users may write to, it could lead anywhere.
 */
export async function openIfThere(path: string): Promise<FileHandle | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDWR | constants.O_NONBLOCK | noFollow);
    const stats = await handle.stat();
    if (!stats.isFile()) {
      throw new JournalError("foreign", path, `${path} is no ordinary file: give the journal a path of its own`);
    }
    if (process.platform !== "win32" && (stats.mode & 0o077) !== 0) await handle.chmod(0o600);
    return handle;
  } catch (error) {
    await handle?.close();
    if (codeOf(error) === "ENOENT") return undefined;
    if (codeOf(error) !== "ELOOP") throw error;
    throw new JournalError(
      "foreign",
      path,
      `${path} is a symbolic link and was not followed: give the path of the file itself (its folder may be a link)`,
    );
  }
}

/**
 * Rejects if the open file is no longer the journal. An append to a removed file would be lost, and an append after
 * another process has written would overwrite its records.
 */
export async function assertUnchanged(path: string, { handle, end }: OpenFile): Promise<void> {
  const { nlink, size } = await handle.stat();
  if (nlink === 0) {
    throw new JournalError(
      "lost",
      path,
      `The journal ${path} was removed or replaced while in use, and takes no records: check that its folder exists; ` +
        "rewrite() creates the file again. If another file is there now, close this store and open a new one",
    );
  }
  if (size !== end) {
    throw new JournalError(
      "lost",
      path,
      `Another program wrote to the journal ${path} (it should have ${end} bytes and has ${size}), ` +
        "so nothing is appended to it: keep other programs away; rewrite() repairs it",
    );
  }
}

/** Rejects if another file is now at the path: it must not be replaced. */
export async function assertReplaceable(path: string, ours: FileHandle | undefined): Promise<void> {
  const [there, own] = await Promise.all([identityOf(path), ours?.stat({ bigint: true })]);
  if (there === undefined || (there.ino === own?.ino && there.dev === own.dev)) return;
  throw new JournalError(
    "lost",
    path,
    `The journal ${path} is another file than the one that this store opened, and is left as it is: ` +
      "close this store and open a new one, which reads that file",
  );
}

async function identityOf(path: string): Promise<{ ino: bigint; dev: bigint } | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
