import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** Where a process writes what happens to it, at once: it is known even when the process is killed. */
export interface RecordFile<Entry> {
  write(record: Entry): void;
  close(): void;
}

/** Records are JSON, one a line. */
export function openRecordFile<Entry>(path: string): RecordFile<Entry> {
  const file = openSync(path, "a");
  return {
    write: (record) => void writeSync(file, `${JSON.stringify(record)}\n`),
    close: () => closeSync(file),
  };
}

export function readRecords<Entry>(path: string): Entry[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Entry);
}
