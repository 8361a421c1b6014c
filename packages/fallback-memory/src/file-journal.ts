export { fileJournal } from "./file-journal/file-journal.ts";
export type { FileJournal, FileJournalOptions, FileJournalStats } from "./file-journal/file-journal-options.ts";
export type { JournalDamage } from "./file-journal/journal-damage.ts";
export type { JournalErrorReason } from "./file-journal/journal-error.ts";
export { isJournalError, JournalError } from "./file-journal/journal-error.ts";
