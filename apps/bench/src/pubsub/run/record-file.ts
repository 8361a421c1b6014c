import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import type { PubSubRecord } from "../history/record.ts";

/** Where a process writes down what happens to it, at once: whatever it was handed is known even when it is killed. */
export interface RecordFile {
  write(record: PubSubRecord): void;
  close(): void;
}

export function openRecordFile(path: string): RecordFile {
  const file = openSync(path, "a");
  return {
    write: (record) => void writeSync(file, `${JSON.stringify(record)}\n`),
    close: () => closeSync(file),
  };
}

export function readRecords(path: string): PubSubRecord[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as PubSubRecord);
}
