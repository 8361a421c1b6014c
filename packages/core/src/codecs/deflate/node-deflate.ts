import type { Deflate } from "./deflate.ts";
import { zlibDeflate } from "./zlib-deflate.ts";

let found: Deflate | undefined;

/** Node itself always has `node:zlib`, so fflate is not loaded there. */
export function deflateOfPlatform(): Deflate {
  found ??= zlibDeflate();
  if (found) return found;
  throw new Error(
    "This process has no node:zlib: bundle for it without the condition `node`, which then brings fflate",
  );
}
