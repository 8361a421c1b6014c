import { brand, hasBrand } from "./brand.ts";

/**
 * A value can't be written by this codec, or bytes can't be read by it. Thrown by `encode` before anything is sent;
 * on the way back the cache turns it into a miss with an `error` event. The message holds paths and types, no values.
 *
 * @example
 * ```ts
 * import { isCodecError, json } from "@continuum-cache/core";
 *
 * try {
 *   json().encode({ big: 1n });
 * } catch (error) {
 *   console.log(isCodecError(error)); // true
 * }
 * ```
 */
export class CodecError extends Error {
  override readonly name = "CodecError";
  /** The codec's name. */
  readonly codec: string;

  constructor(codec: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    brand(this, "CodecError");
    this.codec = codec;
  }
}

/** Tells a `CodecError` also when it comes from another copy of this package. */
export function isCodecError(value: unknown): value is CodecError {
  return hasBrand(value, "CodecError");
}
