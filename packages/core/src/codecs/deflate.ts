import { deflateSync, inflateSync } from "fflate";
import { hasLastingTimers } from "../time/lasting-timers.ts";
import { nodeProcess } from "../time/node-process.ts";

/** Deflate level, 1 (fast) to 9 (small). */
export type DeflateLevel = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** Raw deflate (RFC 1951). What any implementation has written, each of them reads. */
export interface Deflate {
  deflate(bytes: Uint8Array, level: DeflateLevel): Uint8Array;
  /**
   * @param length - How many bytes are expected: no more memory is taken than these need.
   * @returns the bytes, fewer if there are fewer. Their memory may be a part of a larger buffer.
   * @throws Error when the input is damaged, or holds more.
   */
  inflate(bytes: Uint8Array, length: number): Uint8Array;
}

/** The part of `node:zlib` that is used. */
interface Zlib {
  deflateRawSync(bytes: Uint8Array, options: { readonly level: number }): Uint8Array;
  inflateRawSync(
    bytes: Uint8Array,
    options: { readonly chunkSize: number; readonly maxOutputLength: number },
  ): Uint8Array;
}

let found: Deflate | undefined;

/**
 * `node:zlib` in Node, Deno and Bun, several times as fast; fflate on the edge, where `node:zlib` may be a stub whose functions throw.
 * The process is asked for it when it is first needed, so no bundler sees an import of it.
 */
export function deflateOfPlatform(): Deflate {
  if (!found) {
    const zlib = hasLastingTimers() ? (nodeProcess()?.getBuiltinModule?.("zlib") as Zlib | undefined) : undefined;
    found = zlib ? byZlib(zlib) : byFflate;
  }
  return found;
}

const byFflate: Deflate = {
  deflate: (bytes, level) => deflateSync(bytes, { level }),
  inflate(bytes, length) {
    // The buffer is given, so what comes out can't grow beyond it. fflate drops what has no room: one byte more shows that.
    const inflated = inflateSync(bytes, { out: new Uint8Array(length + 1) });
    if (inflated.length > length) throw new RangeError(`Expected ${length} inflated bytes, got more`);
    return inflated;
  },
};

/** The smallest buffer that zlib accepts. */
const leastChunkBytes = 64;

function byZlib(zlib: Zlib): Deflate {
  return {
    deflate: (bytes, level) => zlib.deflateRawSync(bytes, { level }),
    // With room for one byte more zlib sees in one step that nothing follows.
    inflate: (bytes, length) =>
      zlib.inflateRawSync(bytes, {
        chunkSize: Math.max(leastChunkBytes, length + 1),
        maxOutputLength: Math.max(1, length),
      }),
  };
}
