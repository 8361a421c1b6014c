import { CodecError } from "../errors/codec-error.ts";
import type { Codec } from "./codec.ts";
import { isTextForm } from "./envelope.ts";
import { json } from "./json.ts";

/**
 * Several codecs as one: the first writes, all of them read, and JSON is always among them, so that a codec can be
 * changed on a live database without a flush. Text that none of them wrote is another client's, such as a name that
 * redis-cli or `@upstash/redis` has set: it is read as that text.
 *
 * @throws CodecError from `decode` when a codec that is not here wrote the value, or when it is damaged.
 */
export function readers(codecs: readonly Codec[]): Codec {
  const [writer = json()] = codecs;
  const all = codecs.some((codec) => codec.name === "json") ? codecs : [...codecs, json()];
  return {
    name: writer.name,
    encode: writer.encode,
    decode(stored) {
      for (const codec of all) {
        const value = codec.decode(stored);
        if (value !== undefined) return value;
      }
      if (typeof stored === "string" && !isTextForm(stored)) return stored;
      const written = all.map((codec) => codec.name).join(", ");
      throw new CodecError(
        writer.name,
        `None of the codecs here (${written}) wrote this value; add the one that did to \`codec\` (it takes a list: the first writes, all read)`,
      );
    },
  };
}
