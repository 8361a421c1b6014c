import { isCommandError } from "../errors/command-error.ts";
import type { Reply } from "../ports/transport.ts";
import { isFresh, openEntry } from "./entry.ts";
import type { Opening, SentRead, TagCheck } from "./values.ts";

/** What was verified for the call that has read it: an invalidation may have come before a call that joins that one. */
export const verifiedCopies: WeakSet<object> = new WeakSet();

/** Opens what may have a header. A value with tags is verified first: then what it brings is a promise. */
export function createOpening({ verify, isRequired }: TagCheck): Opening {
  return <Found>(
    reply: Reply | undefined,
    read: SentRead | undefined,
    decode: (body: Reply | undefined) => Found | undefined,
  ): Found | undefined => {
    const isStored = typeof reply === "string" || reply instanceof Uint8Array;
    const entry = isStored ? openEntry(reply) : undefined;
    if (entry && !isFresh(entry.header)) return undefined;
    const markers = entry?.header.markers;
    if (!markers) {
      // In a namespace a value without tags is not of this namespace, except an error, which `decode` throws.
      const isError = typeof reply === "object" && reply !== null && isCommandError(reply);
      return isRequired && !isError ? undefined : decode(entry ? entry.body : reply);
    }
    if (!read) return undefined;
    const verified = verify(markers, read).then((verdict) => {
      const found = verdict === "fresh" ? decode(entry.body) : undefined;
      if (typeof found === "function") verifiedCopies.add(found);
      return found;
    });
    // What settles a call by it awaits it.
    return verified as Found;
  };
}
