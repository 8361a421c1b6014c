import type { TimeSlices } from "@continuum-cache/core/kit";
import { crc32 } from "./crc32.ts";

// A record stands in the file in a frame, all numbers little-endian:
//
//   length   4 bytes   of the record
//   head     4 bytes   CRC-32 of salt, offset of the frame in the file, and length
//   record
//   check    4 bytes   CRC-32 of head and record
//   end      1 byte    "\n"
//
// `head` makes the length trustworthy by itself: a frame that reaches beyond the end of the file was cut off there, and one
// whose record is damaged still says where the next begins. The offset in it keeps a frame from passing anywhere else. The
// last byte is never zero, so a frame that ends in zeros was not written to its end.
/** What stands in front of the record, in bytes. */
export const frameHeadBytes = 8;
const tailBytes = 5;
const end = 0x0a;

/** The longest record, in bytes: 1 GiB. */
export const maxRecordBytes: number = 2 ** 30;

/** So many bytes are looked at before a look at the clock. */
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

/** Where the frame at `at` says that it ends, whether it is all there or not; undefined when no frame begins there. */
export function frameEnd(view: DataView, at: number, salt: number): number | undefined {
  if (at + frameHeadBytes > view.byteLength) return undefined;
  const length = view.getUint32(at, true);
  // Compared before the checksum is computed: in a search for the next frame this settles nearly all places.
  if (length > maxRecordBytes) return undefined;
  return view.getUint32(at + 4, true) === headOf(salt, at, length) ? at + length + frameOverheadBytes : undefined;
}

/** A copy of the record in the frame from `at` to `frameEnds`, all of which must be in the file; undefined when damaged. */
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
