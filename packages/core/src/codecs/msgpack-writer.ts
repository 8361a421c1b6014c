import { encodeTimestampExtension } from "@msgpack/msgpack";
import { isWellFormed } from "../text/text.ts";
import { magic } from "./envelope.ts";
import { assertMsgpackHolds } from "./msgpack-rules.ts";
import { extensionTypes, fixedHeads, isBytes, kindOfTypedArray } from "./msgpack-types.ts";
import { hasMoreThanItems, hasSymbol, isArrayPrototype, isPlain, maxDepth } from "./value-check.ts";

const initialBytes = 2 << 10;

/** A buffer that has become larger than this is not kept. */
const mostKeptBytes = 64 << 10;

/** Deeper levels of a large value are checked first: else a cycle would be written a hundred times over. */
const levelsUnchecked = 8;

/** A loop writes a text of up to so many characters faster than the platform does. */
const shortText = 40;

/** The writer that is free. A proxy can encode another value while it is read: that one takes a new writer. */
let free: Writer | undefined;

/**
 * Writes a value in an envelope. The same pass checks it, by the rules of `assertHoldable`, which names the place when
 * something is wrong.
 *
 * @returns `undefined` for a value that does not come back as it was, that can't be read, or that is too large.
 */
export function writeMsgpack(letter: string, value: unknown): Uint8Array | undefined {
  const writer = free ?? new Writer();
  free = undefined;
  try {
    return writer.write(letter, value);
  } catch {
    return undefined;
  } finally {
    if (!writer.isLarge) free = writer;
  }
}

const encoder = new TextEncoder();

class Writer {
  #bytes = new Uint8Array(initialBytes);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  get isLarge(): boolean {
    return this.#bytes.length > mostKeptBytes;
  }

  write(letter: string, value: unknown): Uint8Array | undefined {
    this.#bytes[0] = magic;
    this.#bytes[1] = letter.charCodeAt(0);
    this.#at = 2;
    if (!this.#value(value, 0)) return undefined;
    // A full buffer that is not kept needs no copy: most often it holds one large array.
    return this.isLarge && this.#at === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#at);
  }

  /** @returns false for what can't be held, as all methods that return a boolean. */
  #value(value: unknown, level: number): boolean {
    switch (typeof value) {
      case "string":
        return this.#text(value);
      case "number":
        return this.#number(value);
      case "boolean":
        return this.#byte(value ? 0xc3 : 0xc2);
      case "bigint":
        return this.#leaf(extensionTypes.bigint, encoder.encode(value.toString(16)));
      case "object":
        if (value === null) return this.#byte(0xc0);
        if (level === maxDepth) return false;
        if (level > 0 && level % levelsUnchecked === 0 && this.isLarge) assertMsgpackHolds(value);
        if (Array.isArray(value)) return this.#list(value, level + 1);
        return isPlain(value) ? this.#fields(value, level + 1) : this.#instance(value, level + 1);
      default:
        return false;
    }
  }

  #list(list: readonly unknown[], level: number): boolean {
    return isArrayPrototype(Object.getPrototypeOf(list)) && this.#items(list, level) && !hasMoreThanItems(list);
  }

  #items(list: readonly unknown[], level: number): boolean {
    const { length } = list;
    this.#count(0x90, 0xdc, length);
    for (let index = 0; index < length; index++) if (!this.#value(list[index], level)) return false;
    return true;
  }

  #fields(value: object, level: number): boolean {
    if (hasSymbol(value)) return false;
    const names = Object.keys(value);
    const start = this.#at;
    this.#count(0x80, 0xde, names.length);
    const from = this.#at;
    let count = names.length;
    for (const name of names) {
      if (name === "__proto__") return false;
      const field = Object.getOwnPropertyDescriptor(value, name);
      const part: unknown = field?.value;
      if (part !== undefined) {
        if (!this.#text(name) || !this.#value(part, level)) return false;
      } else {
        if (!field || field.get || field.set || !isWellFormed(name)) return false;
        count--;
      }
    }
    if (count === names.length) return true;
    const end = this.#at;
    this.#count(0x80, 0xde, count);
    return this.#moveHead(end, start, from);
  }

  #instance(value: object, level: number): boolean {
    if (ArrayBuffer.isView(value)) return this.#binary(value);
    if (Object.keys(value).length > 0) return false;
    switch (Object.getPrototypeOf(value)) {
      case Date.prototype:
        return (
          !Number.isNaN((value as Date).getTime()) &&
          this.#leaf(extensionTypes.timestamp, encodeTimestampExtension(value) as Uint8Array)
        );
      case Map.prototype:
        return this.#parts(extensionTypes.map, [...(value as Map<unknown, unknown>)].flat(1), level);
      case Set.prototype:
        return this.#parts(extensionTypes.set, [...(value as Set<unknown>)], level);
      default:
        return false;
    }
  }

  #binary(value: ArrayBufferView): boolean {
    const kind = kindOfTypedArray(value);
    // The length is asked for once: memory that is shared with other threads may grow meanwhile.
    const content = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    if (kind !== undefined) {
      this.#extension(extensionTypes.typedArray, content.length + 1);
      this.#byte(kind);
    } else if (isBytes(value)) this.#length(0xc4, content.length);
    else return false;
    return this.#append(content);
  }

  /** An extension that is a list of values. */
  #parts(type: number, list: readonly unknown[], level: number): boolean {
    const start = this.#at;
    if (!this.#items(list, level)) return false;
    const end = this.#at;
    this.#extension(type, end - start);
    return this.#moveHead(end, start, start);
  }

  #leaf(type: number, content: Uint8Array): boolean {
    this.#extension(type, content.length);
    return this.#append(content);
  }

  #text(text: string): boolean {
    const { length } = text;
    if (length > shortText) return this.#longText(text);
    const start = this.#at;
    this.#textHead(length);
    this.#reserve(length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let index = 0; index < length; index++) {
      const char = text.charCodeAt(index);
      if (char >= 0x80) {
        this.#at = start;
        return this.#longText(text);
      }
      bytes[at++] = char;
    }
    this.#at = at;
    return true;
  }

  #longText(text: string): boolean {
    // The platform would write U+FFFD for half a character.
    if (!isWellFormed(text)) return false;
    const start = this.#at;
    this.#textHead(text.length);
    const from = this.#at;
    this.#reserve(text.length);
    for (let rest = text; rest !== ""; ) {
      const { read, written } = encoder.encodeInto(rest, this.#bytes.subarray(this.#at));
      this.#at += written;
      rest = read < rest.length ? rest.slice(read) : "";
      this.#reserve(3 * rest.length);
    }
    const end = this.#at;
    if (end - from === text.length) return true;
    this.#textHead(end - from);
    return this.#moveHead(end, start, from);
  }

  #number(value: number): boolean {
    this.#reserve(9);
    const view = this.#view;
    const at = this.#at;
    if (!Number.isSafeInteger(value)) {
      view.setUint8(at, 0xcb);
      view.setFloat64(at + 1, value);
      this.#at += 9;
    } else if (value >= -0x20 && value < 0x80) {
      view.setInt8(at, value);
      this.#at += 1;
    } else if (value >= -0x80 && value < 0x100) {
      view.setUint8(at, value < 0 ? 0xd0 : 0xcc);
      view.setUint8(at + 1, value);
      this.#at += 2;
    } else if (value >= -0x8000 && value < 0x1_0000) {
      view.setUint8(at, value < 0 ? 0xd1 : 0xcd);
      view.setUint16(at + 1, value);
      this.#at += 3;
    } else if (value >= -0x8000_0000 && value < 0x1_0000_0000) {
      view.setUint8(at, value < 0 ? 0xd2 : 0xce);
      view.setUint32(at + 1, value);
      this.#at += 5;
    } else {
      view.setUint8(at, value < 0 ? 0xd3 : 0xcf);
      view.setUint32(at + 1, Math.floor(value / 2 ** 32));
      view.setUint32(at + 5, value);
      this.#at += 9;
    }
    return true;
  }

  #textHead(length: number): void {
    if (length < 32) this.#byte(0xa0 + length);
    else this.#length(0xd9, length);
  }

  /** The head of a list or map. @param fixed - That of an empty one. @param wide - That with a count of two bytes. */
  #count(fixed: number, wide: number, count: number): void {
    if (count < 16) this.#byte(fixed + count);
    else this.#wide(wide, count);
  }

  /** A head with a length of one byte or more. @param first - The head for one. */
  #length(first: number, length: number): void {
    if (length < 2 ** 8) {
      this.#byte(first);
      this.#byte(length);
    } else this.#wide(first + 1, length);
  }

  /** A head with a length of two or four bytes. @param first - The head for two. */
  #wide(first: number, length: number): void {
    if (length >= 2 ** 32) throw new RangeError("Expected less than 4 GiB");
    this.#reserve(5);
    const isShort = length < 2 ** 16;
    this.#view.setUint8(this.#at, isShort ? first : first + 1);
    if (isShort) this.#view.setUint16(this.#at + 1, length);
    else this.#view.setUint32(this.#at + 1, length);
    this.#at += isShort ? 3 : 5;
  }

  #extension(type: number, length: number): void {
    const fixed = fixedHeads[length];
    if (fixed === undefined) this.#length(0xc7, length);
    else this.#byte(fixed);
    this.#byte(type);
  }

  /** Moves the head at `head` to `start`, before the content from `from` up to `head`. */
  #moveHead(head: number, start: number, from: number): true {
    const moved = this.#bytes.slice(head, this.#at);
    this.#bytes.copyWithin(start + moved.length, from, head);
    this.#bytes.set(moved, start);
    this.#at = start + moved.length + (head - from);
    return true;
  }

  #byte(byte: number): true {
    this.#reserve(1);
    this.#bytes[this.#at++] = byte;
    return true;
  }

  #append(content: Uint8Array): true {
    this.#reserve(content.length);
    this.#bytes.set(content, this.#at);
    this.#at += content.length;
    return true;
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
