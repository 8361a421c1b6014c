import { CodecError } from "../errors/codec-error.ts";
import { maxDepth } from "./value-check.ts";

/** What an extension's bytes are: a value of their own, or something that has no parts. */
export type ExtensionContent = "list" | "leaf";

/**
 * By the head bytes from 0xc0 on: how many bytes the length takes that follows, or the content where its length is
 * fixed.
 */
const sizes = [
  // null, none, false, true; bytes; extensions; numbers
  [0, 0, 0, 0],
  [1, 2, 4],
  [1, 2, 4],
  [4, 8, 1, 2, 4, 8, 1, 2, 4, 8],
  // extensions of a fixed length; texts; lists; maps
  [1, 2, 4, 8, 16],
  [1, 2, 4],
  [2, 4],
  [2, 4],
].flat();

/**
 * Looks through MessagePack before it is decoded, head by head, in one pass: every part that is announced is there,
 * nothing is deeper than a value may be, and no whole number would be rounded. A decoder that trusts the lengths
 * reserves memory for each list that is announced, and one list inside the other costs it the square of the bytes.
 *
 * @param contentOf - What the bytes of an extension of this type are; `undefined` for a type that does not exist.
 * @returns whether there are bytes among the parts.
 * @throws CodecError when the bytes can't be what this package has written.
 */
export function scanMsgpack(body: Uint8Array, contentOf: (type: number) => ExtensionContent | undefined): boolean {
  const scan = new Scan(body, contentOf);
  scan.value(body.length, 0);
  return scan.hasBytes;
}

class Scan {
  hasBytes = false;
  readonly #body: Uint8Array;
  readonly #contentOf: (type: number) => ExtensionContent | undefined;
  #at = 0;

  constructor(body: Uint8Array, contentOf: (type: number) => ExtensionContent | undefined) {
    this.#body = body;
    this.#contentOf = contentOf;
  }

  /** Moves over one value, which has to end at `end`. @param level - How many lists and maps it is in. */
  value(end: number, level: number): void {
    /**
     * How many parts the innermost list or map that is open still lacks, and those around it; the value itself is the
     * first.
     */
    let missing = 1;
    const outer: number[] = [];
    while (missing > 0) {
      if (this.#at >= end) throw this.#damaged();
      missing--;
      const parts = this.#head(end, level + outer.length);
      // Each part takes a byte at least.
      if (parts > end - this.#at) throw this.#damaged();
      if (parts > 0) {
        if (level + outer.length >= maxDepth) {
          throw new CodecError("msgpack", `Expected MessagePack of at most ${maxDepth} levels, got more`);
        }
        outer.push(missing);
        missing = parts;
      }
      while (missing === 0 && outer.length > 0) missing = outer.pop() as number;
    }
    if (this.#at !== end) throw this.#damaged();
  }

  /** Moves over a head, and its content where that has no parts. @returns how many parts follow. */
  #head(end: number, level: number): number {
    const first = this.#body[this.#at++] as number;
    if (first < 0x80 || first >= 0xe0) return 0;
    if (first < 0x90) return 2 * (first & 0x0f);
    if (first < 0xa0) return first & 0x0f;
    if (first < 0xc0) return this.#skip(first & 0x1f, end);
    if (first === 0xc1) throw this.#damaged();
    const size = sizes[first - 0xc0] as number;
    if (first < 0xc4 || (first >= 0xca && first < 0xd4)) {
      this.#skip(size, end);
      if ((first === 0xcf || first === 0xd3) && !Number.isSafeInteger(this.#whole(8, first === 0xd3))) {
        throw this.#damaged();
      }
      return 0;
    }
    if (first >= 0xd4 && first < 0xd9) return this.#extension(size, end, level);
    this.#skip(size, end);
    const length = this.#whole(size, false);
    if (first >= 0xde) return 2 * length;
    if (first >= 0xdc) return length;
    if (first >= 0xc7 && first < 0xca) return this.#extension(length, end, level);
    this.hasBytes ||= first < 0xc7;
    return this.#skip(length, end);
  }

  #skip(bytes: number, end: number): 0 {
    if (bytes > end - this.#at) throw this.#damaged();
    this.#at += bytes;
    return 0;
  }

  /** The whole number in so many bytes before here, the highest first. It is rounded when it is not safe. */
  #whole(bytes: number, signed: boolean): number {
    let at = this.#at - bytes;
    const highest = this.#body[at] as number;
    let whole = signed && highest >= 0x80 ? highest - 0x100 : highest;
    while (++at < this.#at) whole = whole * 256 + (this.#body[at] as number);
    return whole;
  }

  #extension(bytes: number, end: number, level: number): 0 {
    if (bytes + 1 > end - this.#at) throw this.#damaged();
    const type = ((this.#body[this.#at++] as number) << 24) >> 24;
    const content = this.#contentOf(type);
    if (!content) throw this.#damaged();
    if (content === "leaf") return this.#skip(bytes, end);
    const first = bytes > 0 ? (this.#body[this.#at] as number) : 0;
    if (!isListHead(first)) throw this.#damaged();
    this.value(this.#at + bytes, level);
    return 0;
  }

  #damaged(): CodecError {
    return new CodecError("msgpack", `Expected MessagePack, got ${this.#body.length} damaged bytes`);
  }
}

const isListHead = (first: number): boolean => (first >= 0x90 && first < 0xa0) || first === 0xdc || first === 0xdd;
