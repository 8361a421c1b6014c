/** ES2023's types lack this one of the platform. */
const { isWellFormed: ofPlatform } = "" as string & { isWellFormed(this: string): boolean };

/** Whether a text has no half of a surrogate pair: UTF-8 can't carry one, and puts U+FFFD in its place. */
export const isWellFormed: (text: string) => boolean = Function.prototype.call.bind(ofPlatform);

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A bulk string as every transport hands it out: text when its bytes are valid UTF-8, the bytes otherwise. Either way
 * the very same bytes come back when it is stored again.
 */
export function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return strict.decode(bytes);
  } catch {
    return bytes;
  }
}
