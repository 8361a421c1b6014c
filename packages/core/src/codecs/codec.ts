import { ConfigError } from "../errors/config-error.ts";
import { quoted } from "../errors/quoted.ts";

/** The options of what has none: one that is given all the same is rejected. */
export type NoOptions = Readonly<Record<never, never>>;

/**
 * Turns values into what is stored, and back. What is stored says itself how it was written (see `envelope.ts`), so a
 * reader that holds several codecs reads what any of them wrote.
 *
 * @example
 * ```ts
 * import { type Codec, CodecError } from "@continuum-cache/core";
 *
 * const upperCase: Codec = {
 *   name: "upper-case",
 *   encode: (value) => JSON.stringify(value).toUpperCase(),
 *   decode: (stored) => (typeof stored === "string" ? JSON.parse(stored.toLowerCase()) : undefined),
 * };
 * ```
 */
export interface Codec {
  /** For errors and events. */
  readonly name: string;
  /** @throws CodecError when the value can't be written by this codec; the message names the path, not the value. */
  encode(value: unknown): string | Uint8Array;
  /**
   * Reads what this codec wrote, or what any codec inside it wrote.
   *
   * @returns the value, or `undefined` when it is another codec's writing.
   * @throws CodecError when it is this codec's writing, but damaged.
   */
  decode(stored: string | Uint8Array): unknown;
  /**
   * Copies a value that `decode` has returned: the copy is what decoding once more would bring. With it a cache on
   * the memory of its process decodes a text once that is read several times. @default each read decodes the text
   */
  copy?(value: unknown): unknown;
}

/**
 * Reads the option `codec`, one codec or several.
 *
 * @throws ConfigError that quotes what came when one of them is no codec.
 *
 * @example
 * ```ts
 * import { json } from "@continuum-cache/core";
 * import { codecsOption, combineCodecs } from "@continuum-cache/core/kit";
 *
 * const codec = combineCodecs(codecsOption(json()));
 * ```
 */
export function codecsOption(codec: Codec | readonly Codec[]): readonly Codec[] {
  const codecs = [codec].flat();
  if (codecs.every((one) => typeof one?.encode === "function" && typeof one.decode === "function")) return codecs;
  throw new ConfigError("codec", `Expected \`codec\` to be a Codec such as json(), or a list, got ${quoted(codec)}`);
}
