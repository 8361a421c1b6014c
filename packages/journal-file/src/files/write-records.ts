import type { FileHandle } from "node:fs/promises";
import { encodeFrames } from "../format/frame.ts";

/** Writes frames from `at` on. @returns where the last one ends. */
export async function writeRecords(
  handle: FileHandle,
  records: readonly Uint8Array[],
  salt: number,
  at: number,
): Promise<number> {
  let end = at;
  for (const group of recordGroups(records)) {
    const frames = encodeFrames(group, salt, end);
    await writeFully(handle, frames, end);
    end += frames.length;
  }
  return end;
}

/** Writes all bytes: a single write may stop half-way when the disk fills up, and only the next write says why. */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

/** The most bytes of records that are encoded and written at once. */
const groupBytes = 1 << 20;

/** The records in order, in groups of up to 1 MiB, so that no single write takes long or needs much memory. */
function* recordGroups(records: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  let group: Uint8Array[] = [];
  let bytes = 0;
  for (const record of records) {
    if (group.length > 0 && bytes + record.length > groupBytes) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(record);
    bytes += record.length;
  }
  if (group.length > 0) yield group;
}
