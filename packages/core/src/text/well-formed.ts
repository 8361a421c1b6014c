const half = /\p{Surrogate}/u;
const surrogate = /[\ud800-\udfff]/;

/** Whether a text has no half of a surrogate pair: UTF-8 can't carry one, and puts U+FFFD in its place. */
export function isWellFormed(text: string): boolean {
  // The first test is several times as fast, and nearly every text passes it.
  return !surrogate.test(text) || !half.test(text);
}

/** Whether bytes hold what UTF-8 puts in the place of half a character: U+FFFD. */
export function holdReplacement(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(0xef); at >= 0; at = bytes.indexOf(0xef, at + 1)) {
    if (bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd) return true;
  }
  return false;
}
