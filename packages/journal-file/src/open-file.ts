import { constants } from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";
import { JournalError } from "./journal-error.ts";
import { codeOf } from "./storage-error.ts";

/** A journal file that is open for writing. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly salt: number;
  /** Where the next frame goes. Nothing stands behind it. */
  readonly end: number;
}

/** Absent on Windows, where making a link takes an administrator. */
const noFollow = constants.O_NOFOLLOW ?? 0;

/**
 * Opens what is there, or nothing when there is nothing, and takes the rights of others away: it holds values. A link is not followed:
 * where others may write to the folder, it could lead anywhere.
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
 * Rejects when the open file is not the journal any more: what is appended to a removed file is gone with it, and what
 * another process has appended would be overwritten.
 */
export async function assertUnchanged(path: string, { handle, end }: OpenFile): Promise<void> {
  const { nlink, size } = await handle.stat();
  if (nlink === 0) {
    throw new JournalError(
      "lost",
      path,
      `The journal ${path} was removed or replaced while in use, and takes nothing: see that its folder is there; rewrite() makes the file anew. If another file stands there now, close this store and open a new one`,
    );
  }
  if (size !== end) {
    throw new JournalError(
      "lost",
      path,
      `Something else wrote to the journal ${path} (it should have ${end} bytes and has ${size}), so nothing is appended to it: keep other programs away; rewrite() puts it in order`,
    );
  }
}

/** Rejects when another file has taken the place of ours, or has come where there was none: it must not be replaced. */
export async function assertReplaceable(path: string, ours: FileHandle | undefined): Promise<void> {
  const [there, own] = await Promise.all([identityOf(path), ours?.stat({ bigint: true })]);
  if (there === undefined || (there.ino === own?.ino && there.dev === own.dev)) return;
  throw new JournalError(
    "lost",
    path,
    `The journal ${path} is another file than the one that this store opened, and is left as it is: close this store and open a new one, which reads what is there`,
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
