import type { FileHandle } from "node:fs/promises";
import { encodeFrames } from "./frame.ts";
import { recordGroups } from "./record-groups.ts";

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

/** Writes all of it: a single write may stop half-way when the disk fills up, and only the next one says why. */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}
