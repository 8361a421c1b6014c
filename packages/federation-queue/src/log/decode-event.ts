import { type Codec, CodecError, isCodecError } from "@continuum-cache/core";
import { fromMessageText } from "@continuum-cache/core/kit";
import { eventText, type StreamEntry } from "./entry-fields.ts";

/** @throws CodecError when it can't be read. */
export function decodeEvent(codec: Codec, entry: StreamEntry): unknown {
  const text = eventText(entry);
  if (text === undefined) throw new CodecError(codec.name, "The entry has no event");
  try {
    return codec.decode(fromMessageText(text));
  } catch (error) {
    if (isCodecError(error)) throw error;
    throw new CodecError(codec.name, "The codec could not read the event");
  }
}
