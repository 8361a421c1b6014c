export type { JournalErrorReason } from "./errors/journal-error.ts";
export { isJournalError, JournalError } from "./errors/journal-error.ts";
export { fileJournal } from "./file-journal.ts";
export type { FileJournal, FileJournalOptions, FileJournalStats, JournalDamage } from "./options.ts";
