import { createTimeSlices, type TimeSlices } from "@continuum-cache/core/kit";
import { headerBytes, readHeader } from "./file-header.ts";
import { frameEnd, frameHeadBytes, recordIn } from "./frame.ts";

/** A stretch of the file, in bytes from its start. */
export interface Stretch {
  readonly offset: number;
  readonly bytes: number;
}

/** How many places are checked before a look at the clock. */
const placesPerSlice = 4_096;

/** The result of reading a journal file. */
export type JournalScan =
  | ({ readonly kind: "journal" } & JournalContents)
  /** Nothing was ever written behind its header. */
  | { readonly kind: "empty" }
  | { readonly kind: "later-version" | "foreign" };

/** The records of a journal file. */
export interface JournalContents {
  readonly records: readonly Uint8Array[];
  readonly salt: number;
  /** Where the last good frame ends. The bytes after it are the rest of a write that was cut off. */
  readonly end: number;
  /** The stretches that can't be read, in order. If there are any, `end` has no meaning: the file must be rewritten. */
  readonly damage: readonly Stretch[];
}

/**
 * Reads a journal file.
 *
 * A tail is left out without a report only if it must be a write that was cut off: too short for a frame, or a frame
 * that reaches beyond the end of the file, or ends in zeros up to it (some file systems leave a file longer than what
 * was written to it). All else that is no good frame is damage, and the search for the next good frame goes on after
 * it.
 */
export async function scanJournal(file: Uint8Array): Promise<JournalScan> {
  const slices = createTimeSlices();
  const contentBytes = await withoutTrailingZeros(file, slices);
  const header = readHeader(file, contentBytes);
  if (header.kind === "torn") return { kind: "empty" };
  if (header.kind === "damaged") {
    return { kind: "journal", records: [], salt: 0, end: 0, damage: [{ offset: 0, bytes: file.length }] };
  }
  if (header.kind !== "journal") return header;
  return { kind: "journal", salt: header.salt, ...(await scanFrames(file, contentBytes, header.salt, slices)) };
}

async function scanFrames(
  file: Uint8Array,
  contentBytes: number,
  salt: number,
  slices: TimeSlices,
): Promise<Pick<JournalContents, "records" | "end" | "damage">> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const records: Uint8Array[] = [];
  const damage: Stretch[] = [];
  let at = headerBytes;
  while (at < contentBytes) {
    const ends = frameEnd(view, at, salt);
    const isCutOff = ends === undefined ? contentBytes - at < frameHeadBytes : ends > file.length;
    if (isCutOff) break;
    const record = ends === undefined ? undefined : await recordIn(view, at, ends, slices);
    const endsInZeros = ends !== undefined && ends > contentBytes;
    if (!record && endsInZeros) break;
    const next = ends ?? (await nextFrame(view, at + 1, contentBytes, salt, slices));
    if (record) records.push(record);
    else damage.push({ offset: at, bytes: next - at });
    at = next;
  }
  return { records, end: at, damage: joined(damage) };
}

/** Where the next frame begins, or where the contents end. */
async function nextFrame(
  view: DataView,
  from: number,
  contentBytes: number,
  salt: number,
  slices: TimeSlices,
): Promise<number> {
  for (let at = from; at < contentBytes; at++) {
    if (frameEnd(view, at, salt) !== undefined) return at;
    if (at % placesPerSlice === 0) await slices.yieldIfDue();
  }
  return contentBytes;
}

/** Joins adjacent stretches. */
function joined(stretches: readonly Stretch[]): Stretch[] {
  const all: Stretch[] = [];
  for (const stretch of stretches) {
    const last = all.at(-1);
    if (last && last.offset + last.bytes === stretch.offset) {
      all[all.length - 1] = { offset: last.offset, bytes: last.bytes + stretch.bytes };
    } else all.push(stretch);
  }
  return all;
}

async function withoutTrailingZeros(file: Uint8Array, slices: TimeSlices): Promise<number> {
  let end = file.length;
  while (end > 0 && file[end - 1] === 0) {
    end--;
    if (end % placesPerSlice === 0) await slices.yieldIfDue();
  }
  return end;
}
