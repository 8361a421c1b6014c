import { CodecError } from "../errors/codec-error.ts";
import { maxDepth } from "./value-check.ts";

/** What an extension's bytes are: a value of their own, or something that has no parts. */
export type ExtensionContent = "list" | "leaf";

/** What follows a head byte from 0xc4 on: a length of so many bytes, then the content; or a content of a fixed length. */
type Head =
  | { readonly kind: "fixed"; readonly bytes: number }
  | { readonly kind: "bytes" | "text" | "list" | "map" | "extension"; readonly lengthBytes: 1 | 2 | 4 }
  | { readonly kind: "extension"; readonly bytes: number };

const heads: Readonly<Record<number, Head>> = {
  192: { kind: "fixed", bytes: 0 },
  194: { kind: "fixed", bytes: 0 },
  195: { kind: "fixed", bytes: 0 },
  196: { kind: "bytes", lengthBytes: 1 },
  197: { kind: "bytes", lengthBytes: 2 },
  198: { kind: "bytes", lengthBytes: 4 },
  199: { kind: "extension", lengthBytes: 1 },
  200: { kind: "extension", lengthBytes: 2 },
  201: { kind: "extension", lengthBytes: 4 },
  202: { kind: "fixed", bytes: 4 },
  203: { kind: "fixed", bytes: 8 },
  204: { kind: "fixed", bytes: 1 },
  205: { kind: "fixed", bytes: 2 },
  206: { kind: "fixed", bytes: 4 },
  207: { kind: "fixed", bytes: 8 },
  208: { kind: "fixed", bytes: 1 },
  209: { kind: "fixed", bytes: 2 },
  210: { kind: "fixed", bytes: 4 },
  211: { kind: "fixed", bytes: 8 },
  212: { kind: "extension", bytes: 1 },
  213: { kind: "extension", bytes: 2 },
  214: { kind: "extension", bytes: 4 },
  215: { kind: "extension", bytes: 8 },
  216: { kind: "extension", bytes: 16 },
  217: { kind: "text", lengthBytes: 1 },
  218: { kind: "text", lengthBytes: 2 },
  219: { kind: "text", lengthBytes: 4 },
  220: { kind: "list", lengthBytes: 2 },
  221: { kind: "list", lengthBytes: 4 },
  222: { kind: "map", lengthBytes: 2 },
  223: { kind: "map", lengthBytes: 4 },
};

/**
 * Looks through MessagePack before it is decoded, head by head, in one pass: every part that is announced is there, nothing
 * is deeper than a value may be, and no whole number would be rounded. A decoder that trusts the lengths reserves memory
 * for each list that is announced, and one list inside the other costs it the square of the bytes.
 *
 * @param contentOf - What the bytes of an extension of this type are; `undefined` for a type that does not exist.
 * @returns whether there are bytes among the parts.
 * @throws CodecError when the bytes can't be what this package has written.
 */
export function scanMsgpack(body: Uint8Array, contentOf: (type: number) => ExtensionContent | undefined): boolean {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const damaged = (): CodecError => new CodecError("msgpack", `Expected MessagePack, got ${body.length} damaged bytes`);
  const readLength = (at: number, bytes: 1 | 2 | 4): number =>
    bytes === 1 ? view.getUint8(at) : bytes === 2 ? view.getUint16(at) : view.getUint32(at);
  let hasBytes = false;

  const scan = (start: number, end: number, level: number): void => {
    /** How many parts each list or map that is open still lacks, the innermost last; the first is the value itself. */
    const missing = [1];
    let at = start;
    const skip = (bytes: number): void => {
      if (bytes > end - at) throw damaged();
      at += bytes;
    };
    const open = (parts: number): void => {
      // Each part takes a byte at least.
      if (parts > end - at) throw damaged();
      if (parts === 0) return;
      if (level + missing.length > maxDepth) {
        throw new CodecError("msgpack", `Expected MessagePack of at most ${maxDepth} levels, got more`);
      }
      missing.push(parts);
    };
    const openExtension = (bytes: number): void => {
      if (bytes + 1 > end - at) throw damaged();
      const content = contentOf(view.getInt8(at++));
      if (!content) throw damaged();
      if (content === "list") {
        const first = bytes > 0 ? (body[at] as number) : 0;
        if (!isListHead(first)) throw damaged();
        scan(at, at + bytes, level + missing.length - 1);
      }
      at += bytes;
    };

    while (missing.length > 0) {
      if (at >= end) throw damaged();
      missing[missing.length - 1] = (missing.at(-1) as number) - 1;
      const first = body[at++] as number;
      const head = heads[first];
      if (!head) {
        if (first === 0xc1) throw damaged();
        if (first >= 0xa0 && first < 0xc0) skip(first & 0x1f);
        else if (first >= 0x90 && first < 0xa0) open(first & 0x0f);
        else if (first >= 0x80 && first < 0x90) open(2 * (first & 0x0f));
      } else if (head.kind === "fixed") {
        if ((first === 0xcf || first === 0xd3) && end - at >= 8) {
          const whole = first === 0xcf ? view.getBigUint64(at) : view.getBigInt64(at);
          if (!Number.isSafeInteger(Number(whole))) throw damaged();
        }
        skip(head.bytes);
      } else if ("bytes" in head) {
        openExtension(head.bytes);
      } else {
        if (head.lengthBytes > end - at) throw damaged();
        const length = readLength(at, head.lengthBytes);
        at += head.lengthBytes;
        if (head.kind === "list") open(length);
        else if (head.kind === "map") open(2 * length);
        else if (head.kind === "extension") openExtension(length);
        else {
          hasBytes ||= head.kind === "bytes";
          skip(length);
        }
      }
      while (missing.at(-1) === 0) missing.pop();
    }
    if (at !== end) throw damaged();
  };

  scan(0, body.length, 0);
  return hasBytes;
}

const isListHead = (first: number): boolean => (first >= 0x90 && first < 0xa0) || first === 0xdc || first === 0xdd;
