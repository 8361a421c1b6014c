/**
 * Why a file journal refused:
 *
 * - `locked`: another process, or another store in this one, has the file.
 * - `damaged`: records in the middle, or the file's header, can't be read, and there is no `onDamage`.
 * - `foreign`: the file is no journal, or of a later version. It was not touched.
 * - `storage`: the disk or the file system failed: full, broken, read-only, folder removed.
 * - `lost`: the file is no longer this store's: removed, replaced or taken over.
 * - `misuse`: a call before `read()`, or after `close()`.
 */
export type JournalErrorReason = "locked" | "damaged" | "foreign" | "storage" | "lost" | "misuse";

const marker = Symbol.for("continuum-cache.JournalError");

/**
 * A file journal could not do what was asked. The message names the file and says what to fix; it quotes nothing of a
 * record. `cause` is the error of the system, if there is one.
 *
 * @example
 * ```ts
 * import { fileJournal, isJournalError } from "@continuum-cache/journal-file";
 *
 * try {
 *   await fileJournal({ path: "/var/lib/app/outage.journal" }).read();
 * } catch (error) {
 *   if (isJournalError(error) && error.reason === "locked") console.error(`does the app run twice? ${error.message}`);
 *   else throw error;
 * }
 * ```
 */
export class JournalError extends Error {
  override readonly name = "JournalError";
  readonly reason: JournalErrorReason;
  /** The journal file. */
  readonly path: string;

  constructor(reason: JournalErrorReason, path: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    Object.defineProperty(this, marker, { value: true });
    this.reason = reason;
    this.path = path;
  }
}

/** Whether a value is a `JournalError`, also of another copy of this package. */
export function isJournalError(value: unknown): value is JournalError {
  return typeof value === "object" && value !== null && marker in value;
}
