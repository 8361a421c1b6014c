import { JournalError } from "./journal-error.ts";

/** What happened and what to do, by the code of a file system error. */
const fixes: Record<string, string> = {
  ENOSPC: "the disk is full: make room on it",
  EDQUOT: "the user's disk quota is used up: make room or raise it",
  EFBIG: "the file may not grow further: raise the process's limit on file sizes",
  EIO: "the disk reports an error: look into the system's log and move the journal to a healthy disk",
  EROFS: "the file system is read-only: put the journal where this process may write",
  EACCES: "permission denied: let this process's user write to the file and its folder",
  EPERM: "not permitted: let this process's user write to the file and its folder",
  ENOENT: "its folder does not exist: create it, or mount the volume that holds it",
  ENOTDIR: "a part of its path is no folder: correct the path",
  EISDIR: "this is a folder: give the path of a file in it",
  EMFILE: "this process has too many files open: raise its limit",
  ENFILE: "this machine has too many files open",
  ENAMETOOLONG: "the name is too long for this file system",
};

/** The code of a system error: "ENOSPC". */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/**
 * A file system error as a `JournalError`; any other error is returned as it is.
 *
 * @param doing - What failed, for "Could not …": "append to".
 * @param outcome - The state of the journal now, as whole sentences.
 */
export function storageError(path: string, doing: string, cause: unknown, outcome = ""): Error {
  const code = codeOf(cause);
  if (code === undefined) return cause instanceof Error ? cause : new Error(String(cause));
  const what = `Could not ${doing} the journal ${path} (${code})`;
  const message = `${what}: ${fixes[code] ?? "see the cause"}.${outcome && ` ${outcome}`}`;
  return new JournalError("storage", path, message, { cause });
}
