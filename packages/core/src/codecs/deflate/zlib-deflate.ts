import { nodeProcess } from "../../time/platform.ts";
import type { Deflate } from "./deflate.ts";

/** The part of `node:zlib` that is used. */
interface Zlib {
  deflateRawSync(bytes: Uint8Array, options: { readonly level: number }): Uint8Array;
  inflateRawSync(
    bytes: Uint8Array,
    options: { readonly chunkSize: number; readonly maxOutputLength: number },
  ): Uint8Array;
}

/** The smallest buffer that zlib accepts. */
const leastChunkBytes = 64;

/**
 * `node:zlib`, several times as fast as any in JavaScript; `undefined` where the process has none. No bundler sees an
 * import of it.
 */
export function zlibDeflate(): Deflate | undefined {
  const zlib = nodeProcess()?.getBuiltinModule?.("zlib") as Zlib | undefined;
  return (
    zlib && {
      deflate: (bytes, level) => zlib.deflateRawSync(bytes, { level }),
      // With room for one byte more zlib sees in one step that nothing follows.
      inflate: (bytes, length) =>
        zlib.inflateRawSync(bytes, {
          chunkSize: Math.max(leastChunkBytes, length + 1),
          maxOutputLength: Math.max(1, length),
        }),
    }
  );
}
