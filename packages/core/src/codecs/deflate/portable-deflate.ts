import { deflateSync, inflateSync } from "fflate";
import { hasLastingTimers } from "../../time/lasting-timers.ts";
import type { Deflate } from "./deflate.ts";
import { zlibDeflate } from "./zlib-deflate.ts";

let found: Deflate | undefined;

/**
 * For bundles that may run anywhere: `node:zlib` in Node, Deno and Bun, fflate on the edge, where `node:zlib` may be a stub whose
 * functions throw. The process is asked for it when it is first needed.
 */
export function deflateOfPlatform(): Deflate {
  found ??= (hasLastingTimers() ? zlibDeflate() : undefined) ?? fflateDeflate;
  return found;
}

const fflateDeflate: Deflate = {
  deflate: (bytes, level) => deflateSync(bytes, { level }),
  inflate(bytes, length) {
    // The buffer is given, so what comes out can't grow beyond it. fflate drops what has no room: one byte more shows that.
    const inflated = inflateSync(bytes, { out: new Uint8Array(length + 1) });
    if (inflated.length > length) throw new RangeError(`Expected ${length} inflated bytes, got more`);
    return inflated;
  },
};
