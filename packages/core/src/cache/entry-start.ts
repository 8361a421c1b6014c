import { magic, sealed } from "../codecs/envelope.ts";

// How an entry with a header begins (see `Entry`): what it takes to know a value that has none.

/** The letter of the envelope of an entry that is bytes. */
export const letter = "h";

const letterCode = letter.charCodeAt(0);

/** How every placeholder begins, and no value: its header has no other field. */
export const placeholderHead = '~1{"p":[';

/** A line of text, or the text form of the envelope. */
const textStart = /^(~1\{|=wW[g-j])/;

/** How an entry with a header begins: `~`, the first byte of an envelope, or `=`, its text form. */
export const firstOfText: number = 0x7e;
export const firstOfBytes: number = magic;
export const firstOfTextForm: number = 0x3d;

/** Whether it begins as an entry with a header does. */
export function beginsAsEntry(stored: string | Uint8Array): boolean {
  return typeof stored === "string" ? textStart.test(stored) : stored[0] === magic && stored[1] === letterCode;
}

/**
 * What to store of a value that needs no header: the codec's own writing. A writing that itself looks like an entry
 * with a header, as a codec of raw text may produce it, gets an empty header, so that it is read back as it was.
 */
export function plainEntry(written: string | Uint8Array): string | Uint8Array {
  if (!beginsAsEntry(written)) return written;
  const head = "1{}\n";
  if (typeof written === "string") return `~${head}${written}`;
  const { stored, body } = sealed(letter, head.length + written.length);
  body.set(new TextEncoder().encode(head));
  body.set(written, head.length);
  return stored;
}
