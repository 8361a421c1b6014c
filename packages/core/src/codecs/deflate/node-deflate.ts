import type { Deflate } from "./deflate.ts";
import { zlibDeflate } from "./zlib-deflate.ts";

let found: Deflate | undefined;

/** Node itself always has `node:zlib`, so fflate is not loaded there. */
function zlib(): Deflate {
  found ??= zlibDeflate();
  if (found) return found;
  throw new Error(
    "This process has no node:zlib: bundle for it without the condition `node`, which then brings fflate",
  );
}

export const deflate: Deflate["deflate"] = (bytes, level) => zlib().deflate(bytes, level);

export const inflate: Deflate["inflate"] = (bytes, length) => zlib().inflate(bytes, length);
