import type { Codec } from "../codecs/codec.ts";
import { longestHashed } from "../keys/text-map.ts";

/** So much text is remembered until the remembered texts become the older ones, which are given up with the next change. */
const mostCharacters = 1 << 20;

/** What a text counts beside its characters: its places in memory. */
const overhead = 100;

/**
 * The same codec for texts that stay in this process. A text that is read several times is decoded once, and each read gets a copy
 * of the value. It remembers the values of the texts that were read last, at most 2 Mi characters in all.
 */
export function decodedOnce(codec: Codec): Codec {
  const { name, encode, copy } = codec;
  if (!copy) return codec;
  let recent = new Map<string, object>();
  let older = new Map<string, object>();
  let characters = 0;

  const remember = (stored: string, value: object): void => {
    characters += stored.length + overhead;
    if (characters > mostCharacters) {
      older = recent;
      recent = new Map();
      characters = stored.length + overhead;
    }
    recent.set(stored, value);
  };

  return {
    name,
    encode,
    copy,
    decode(stored) {
      if (typeof stored !== "string" || stored.length > longestHashed) return codec.decode(stored);
      const known = recent.get(stored);
      if (known) return copy(known);
      const value = older.get(stored) ?? codec.decode(stored);
      if (typeof value !== "object" || value === null) return value;
      remember(stored, value);
      return copy(value);
    },
  };
}
