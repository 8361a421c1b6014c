import type { Codec } from "../codecs/codec.ts";
import { longestHashed } from "../keys/text-map.ts";

/** Values of so many bytes are remembered until they become the older ones, which are given up with the next change. */
const mostBytes = 4 << 20;

/** A value, and how much memory it takes at most, roughly. */
interface Decoded {
  readonly value: object;
  readonly bytes: number;
}

/**
 * The same codec for texts that stay in this process. A text that is read several times is decoded once, and each
 * read gets a copy of the value. It remembers the values of the texts that were read last, about 8 MiB at most.
 */
export function decodedOnce(codec: Codec): Codec {
  const copy = codec.copy?.bind(codec);
  if (!copy) return codec;
  let recent = new Map<string, Decoded>();
  let older = new Map<string, Decoded>();
  let bytes = 0;

  const remember = (stored: string, decoded: Decoded): void => {
    bytes += decoded.bytes;
    if (bytes > mostBytes) {
      older = recent;
      recent = new Map();
      bytes = decoded.bytes;
    }
    recent.set(stored, decoded);
  };

  return {
    name: codec.name,
    encode: (value) => codec.encode(value),
    copy,
    decode(stored) {
      if (typeof stored !== "string" || stored.length > longestHashed) return codec.decode(stored);
      let known = recent.get(stored);
      if (!known) {
        known = older.get(stored);
        if (!known) {
          const value = codec.decode(stored);
          if (typeof value !== "object" || value === null) return value;
          known = { value, bytes: bytesOf(stored) };
        }
        remember(stored, known);
      }
      return copy(known.value);
    },
  };
}

const comma = 0x2c;
const openList = 0x5b;
const openObject = 0x7b;

/**
 * What a text and its value take in memory: a byte for each character of both, two where one is beyond Latin-1; a
 * place and a head of 32 bytes in all for each part, which a comma or a bracket announces; and the entry here. Most
 * values take half of that, and the worst, such as objects of a single field named by a number, three times as much.
 */
function bytesOf(text: string): number {
  let parts = 0;
  let bytesPerCharacter = 1;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === comma || char === openList || char === openObject) parts++;
    else if (char > 0xff) bytesPerCharacter = 2;
  }
  return 100 + 2 * bytesPerCharacter * text.length + 32 * parts;
}
