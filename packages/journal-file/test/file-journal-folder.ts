import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FileJournal, type FileJournalOptions, fileJournal } from "@continuum-cache/journal-file";
import { afterEach } from "vitest";

/** A new folder and journals in it; after each test the journals are closed and the folder is gone. */
export function journalFolder() {
  let folder: string | undefined;
  let opened: FileJournal[] = [];
  const path = (name = "outage.journal") => {
    folder ??= mkdtempSync(join(tmpdir(), "file-journal-"));
    return join(folder, name);
  };
  afterEach(async () => {
    // A test may have broken them on purpose.
    await Promise.allSettled(opened.map((journal) => journal.close()));
    if (folder) rmSync(folder, { recursive: true, force: true });
    folder = undefined;
    opened = [];
  });
  return {
    path,
    /** A journal that was not read yet. */
    journal(options: Partial<FileJournalOptions> = {}): FileJournal {
      const journal = fileJournal({ path: path(), ...options });
      opened.push(journal);
      return journal;
    },
  };
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const texts = (records: readonly Uint8Array[]): string[] =>
  records.map((record) => new TextDecoder().decode(record));

/** How long the first line of a journal file is. */
export const headerBytes = 44;

/** How many of these records, written one behind the other, are whole in a journal file of so many bytes. */
export function wholeRecords(records: readonly Uint8Array[], fileBytes: number): number {
  let end = headerBytes;
  const first = records.findIndex((record) => {
    end += record.length + 13;
    return end > fileBytes;
  });
  return first === -1 ? records.length : first;
}
