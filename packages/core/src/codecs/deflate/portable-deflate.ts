import { deflateSync, inflateSync } from "fflate";
import { hasLastingTimers } from "../../time/platform.ts";
import type { Deflate } from "./deflate.ts";
import { zlibDeflate } from "./zlib-deflate.ts";

// For bundles that may run anywhere: `node:zlib` in Node, Deno and Bun, fflate on the edge, where `node:zlib` may be
// a stub whose functions throw. Each direction stands alone, so that a bundle which only reads holds no code that
// compresses.

let found: { readonly zlib: Deflate | undefined } | undefined;

/** The process is asked for it when it is first needed. */
function zlib(): Deflate | undefined {
  found ??= { zlib: hasLastingTimers() ? zlibDeflate() : undefined };
  return found.zlib;
}

export const deflate: Deflate["deflate"] = (bytes, level) =>
  zlib()?.deflate(bytes, level) ?? deflateSync(bytes, { level });

export const inflate: Deflate["inflate"] = (bytes, length) =>
  zlib()?.inflate(bytes, length) ?? inflateByFflate(bytes, length);

function inflateByFflate(bytes: Uint8Array, length: number): Uint8Array {
  // The buffer is given, so what comes out can't grow beyond it. fflate drops what has no room: one byte more shows
  // that.
  const inflated = inflateSync(bytes, { out: new Uint8Array(length + 1) });
  if (inflated.length > length) throw new RangeError(`Expected ${length} inflated bytes, got more`);
  return inflated;
}
