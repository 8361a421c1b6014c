import type { TimeSlices } from "@continuum-cache/core/kit";
import { crc32 } from "./crc32.ts";

// The file holds each record in a frame, all numbers little-endian:
//
//   length   4 bytes   of the record
//   head     4 bytes   CRC-32 of salt, offset of the frame in the file, and length
//   record
//   check    4 bytes   CRC-32 of head and record
//   end      1 byte    "\n"
//
// `head` proves the length by itself: a frame that reaches beyond the end of the file was cut off there, and a frame
// with a damaged record still says where the next begins. It covers the offset, so a frame is valid only at its own
// place in the file. The last byte is never zero, so a frame that ends in zeros was not written completely.
/** The bytes of a frame in front of the record. */
export const frameHeadBytes = 8;
const tailBytes = 5;
const end = 0x0a;

/** The longest record, in bytes: 1 GiB. */
export const maxRecordBytes: number = 2 ** 30;

/** How many bytes are checked before a look at the clock. */
const bytesPerSlice = 256 * 1024;

/** What a frame adds to its record, in bytes. */
const frameOverheadBytes: number = frameHeadBytes + tailBytes;

/** The frames of some records, to be written at `offset` of the file with this salt. */
export function encodeFrames(records: readonly Uint8Array[], salt: number, offset: number): Uint8Array<ArrayBuffer> {
  const size = records.reduce((sum, record) => sum + record.length + frameOverheadBytes, 0);
  const frames = new Uint8Array(size);
  const view = new DataView(frames.buffer);
  let at = 0;
  for (const record of records) {
    const head = headOf(salt, offset + at, record.length);
    view.setUint32(at, record.length, true);
    view.setUint32(at + 4, head, true);
    frames.set(record, at + frameHeadBytes);
    const checkAt = at + frameHeadBytes + record.length;
    view.setUint32(checkAt, crc32(record, head), true);
    frames[checkAt + 4] = end;
    at = checkAt + tailBytes;
  }
  return frames;
}

/** Where the frame at `at` ends by its own word, complete or not; `undefined` if no frame begins there. */
export function frameEnd(view: DataView, at: number, salt: number): number | undefined {
  if (at + frameHeadBytes > view.byteLength) return undefined;
  const length = view.getUint32(at, true);
  // Checked before the checksum: in a search for the next frame this rules out nearly all places.
  if (length > maxRecordBytes) return undefined;
  return view.getUint32(at + 4, true) === headOf(salt, at, length) ? at + length + frameOverheadBytes : undefined;
}

/**
 * A copy of the record in the frame from `at` to `frameEnds`, which must lie within the file; `undefined` if damaged.
 */
export async function recordIn(
  view: DataView,
  at: number,
  frameEnds: number,
  slices: TimeSlices,
): Promise<Uint8Array | undefined> {
  const record = new Uint8Array(
    view.buffer,
    view.byteOffset + at + frameHeadBytes,
    frameEnds - at - frameOverheadBytes,
  ).slice();
  let check = view.getUint32(at + 4, true);
  for (let from = 0; from < record.length; from += bytesPerSlice) {
    check = crc32(record.subarray(from, from + bytesPerSlice), check);
    await slices.yieldIfDue();
  }
  return view.getUint32(frameEnds - tailBytes, true) === check ? record : undefined;
}

const scratch = new DataView(new ArrayBuffer(12));
const scratchBytes = new Uint8Array(scratch.buffer);

function headOf(salt: number, offset: number, length: number): number {
  scratch.setUint32(0, offset % 2 ** 32, true);
  scratch.setUint32(4, Math.floor(offset / 2 ** 32), true);
  scratch.setUint32(8, length, true);
  return crc32(scratchBytes, salt);
}
