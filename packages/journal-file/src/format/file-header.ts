import { crc32 } from "./crc32.ts";

// A journal file begins with one line of text, so that `head -1` tells what it is:
//
//   continuum-cache journal 1 <salt> <check>\n      salt and check: 8 hexadecimal digits
//
// The salt is random for each file and part of every checksum in it. So bytes from elsewhere are never taken for a
// record of this file: neither blocks that another file left on the disk, nor a value that is itself a journal.
const magic = "continuum-cache journal ";
const version = "1";

/** How long the header is, in bytes. */
export const headerBytes: number = headerFor(0).length;

/** What the first line of a file says. */
export type FileHeader =
  | { readonly kind: "journal"; readonly salt: number }
  /** Cut off within the line: no record can follow. */
  | { readonly kind: "torn" }
  /** Ours, but not readable. */
  | { readonly kind: "damaged" }
  | { readonly kind: "later-version" }
  | { readonly kind: "foreign" };

export function headerFor(salt: number): Uint8Array<ArrayBuffer> {
  const line = `${magic}${version} ${hex(salt)} `;
  return new TextEncoder().encode(`${line}${hex(crc32(new TextEncoder().encode(line)))}\n`);
}

/** @param contentBytes - The size of the file without the zero bytes at its end. */
export function readHeader(file: Uint8Array, contentBytes: number): FileHeader {
  const text = new TextDecoder("latin1").decode(file.subarray(0, Math.min(contentBytes, headerBytes)));
  const known = `${magic}${version} `;
  if (text.length < headerBytes) {
    const isOurs = text.length < known.length ? known.startsWith(text) : text.startsWith(known);
    return { kind: isOurs ? "torn" : "foreign" };
  }
  if (!text.startsWith(magic)) return { kind: "foreign" };
  const salt = Number.parseInt(text.slice(known.length, known.length + 8), 16);
  if (text.startsWith(known)) {
    return text === new TextDecoder("latin1").decode(headerFor(salt)) ? { kind: "journal", salt } : { kind: "damaged" };
  }
  return { kind: /^\d+ /.test(text.slice(magic.length)) ? "later-version" : "damaged" };
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
