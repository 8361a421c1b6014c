import { type Codec, ConfigError, json } from "@continuum-cache/core";
import { inflated } from "@continuum-cache/core/compressed";
import { combineCodecs } from "@continuum-cache/core/kit";
import { msgpack } from "@continuum-cache/core/msgpack";

/** The codec that writes, then one that reads values of all built-in codecs. */
export function codecsFor(codec: "json" | "msgpack" | Codec = "json"): readonly Codec[] {
  return [writer(codec), inflated(combineCodecs([json(), msgpack()]))];
}

function writer(codec: "json" | "msgpack" | Codec): Codec {
  if (codec === "json") return json();
  if (codec === "msgpack") return msgpack();
  if (typeof codec?.encode === "function" && typeof codec.decode === "function") return codec;
  throw new ConfigError("codec", `Expected \`codec\` to be "json", "msgpack" or a Codec, got ${JSON.stringify(codec)}`);
}
