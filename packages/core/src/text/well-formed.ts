/** ES2023's types lack this one of the platform. */
const { isWellFormed: ofPlatform } = "" as string & { isWellFormed(this: string): boolean };

/** Whether a text has no half of a surrogate pair: UTF-8 can't carry one, and puts U+FFFD in its place. */
export const isWellFormed: (text: string) => boolean = Function.prototype.call.bind(ofPlatform);

/** Whether bytes hold what UTF-8 puts in the place of half a character: U+FFFD. */
export function holdReplacement(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(0xef); at >= 0; at = bytes.indexOf(0xef, at + 1)) {
    if (bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd) return true;
  }
  return false;
}
