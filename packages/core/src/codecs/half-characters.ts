const half = /\p{Surrogate}/u;

/** Whether bytes hold what UTF-8 puts in the place of half a character: U+FFFD. */
export function holdReplacement(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(0xef); at >= 0; at = bytes.indexOf(0xef, at + 1)) {
    if (bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd) return true;
  }
  return false;
}

/** Whether a text anywhere in a value has half of a surrogate pair. The value must have no circle. */
export function holdsHalfCharacter(value: unknown): boolean {
  if (typeof value === "string") return half.test(value);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return false;
  const parts = value instanceof Map || value instanceof Set ? [...value].flat(1) : Object.entries(value).flat(1);
  return parts.some(holdsHalfCharacter);
}
