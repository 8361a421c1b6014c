/**
 * How binary values say what they are: the first byte is 0xC1, which neither JSON nor UTF-8 nor MessagePack ever
 * begins with; the second is the codec's own letter; its bytes follow.
 *
 * Where a backend can carry only text (inside a pipeline over REST), the whole envelope travels as `=` and base64,
 * which no JSON text begins with either.
 */
export const magic = 0xc1;

/** Wraps a codec's bytes. @param letter - one ASCII letter, the codec's own. */
export function seal(letter: string, bytes: Uint8Array): Uint8Array {
  const { stored, body } = sealed(letter, bytes.length);
  body.set(bytes);
  return stored;
}

/** An envelope for so many bytes, which are written to `body`. */
export function sealed(letter: string, length: number): { readonly stored: Uint8Array; readonly body: Uint8Array } {
  const stored = new Uint8Array(length + 2);
  stored[0] = magic;
  stored[1] = letter.charCodeAt(0);
  return { stored, body: stored.subarray(2) };
}

/** The bytes that the codec with this letter sealed, or `undefined` when it was another. */
export function unseal(letter: string, stored: string | Uint8Array): Uint8Array | undefined {
  const head = typeof stored === "string" ? fromTextForm(stored.slice(0, headLength)) : stored;
  if (head?.[0] !== magic || head[1] !== letter.charCodeAt(0)) return undefined;
  return (typeof stored === "string" ? fromTextForm(stored) : stored)?.subarray(2);
}

/** Whether a text is the text form of a sealed value. */
export function isTextForm(text: string): boolean {
  return fromTextForm(text.slice(0, headLength))?.[0] === magic;
}

/** Whether bytes are a sealed value, so that their text form may stand for them. */
export function isSealed(bytes: Uint8Array): boolean {
  return bytes[0] === magic;
}

/** A sealed value as text, for a backend that can't carry bytes. */
export function toTextForm(sealed: Uint8Array): string {
  let binary = "";
  // In slices: an argument list of a megabyte overflows the stack.
  for (let at = 0; at < sealed.length; at += 0x8000) {
    binary += String.fromCharCode(...sealed.subarray(at, at + 0x8000));
  }
  return `=${btoa(binary)}`;
}

/** "=" and the four characters that hold the first three bytes. */
const headLength = 5;

function fromTextForm(text: string): Uint8Array | undefined {
  if (text[0] !== "=") return undefined;
  try {
    return Uint8Array.from(atob(text.slice(1)), (char) => char.charCodeAt(0));
  } catch {
    // Not base64: some other client's text that happens to begin with "=".
    return undefined;
  }
}
