export { fileJournal } from "./file-journal.ts";
export type { FileJournal, FileJournalOptions, FileJournalStats } from "./file-journal-options.ts";
export type { JournalDamage } from "./journal-damage.ts";
export type { JournalErrorReason } from "./journal-error.ts";
export { isJournalError, JournalError } from "./journal-error.ts";
