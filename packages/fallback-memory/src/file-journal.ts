export type {
  FileJournal,
  FileJournalOptions,
  FileJournalStats,
  JournalDamage,
  JournalErrorReason,
} from "@continuum-cache/journal-file";
export { fileJournal, isJournalError, JournalError } from "@continuum-cache/journal-file";
