import { type FileHandle, open, stat } from "node:fs/promises";
import { JournalError } from "./journal-error.ts";
import { codeOf } from "./storage-error.ts";

/** A journal file that is open for writing. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly salt: number;
  /** Where the next frame goes. Nothing stands behind it. */
  readonly end: number;
}

/** Opens what is there, or nothing when there is nothing. */
export async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
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
    return await stat(path, { bigint: true });
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
