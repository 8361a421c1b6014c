import { isCommandError } from "../errors/command-error.ts";
import type { Reply } from "../ports/transport.ts";
import { isFresh, openEntry } from "./entry.ts";
import type { Tagging } from "./tagging.ts";
import type { Opening, SentRead } from "./values.ts";

/** What opens values with tags. */
export interface OpeningParts {
  readonly tagging: Tagging;
  /** The tags that every value must have. */
  readonly namespaces: readonly string[];
}

/** What was verified for the call that has read it: an invalidation may have come before a call that joins that one. */
export const verifiedCopies: WeakSet<object> = new WeakSet();

/** Opens what may have a header. A value with tags is verified first: then what it brings is a promise. */
export function createOpening({ tagging, namespaces }: OpeningParts): Opening {
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
      return namespaces.length > 0 && !isError ? undefined : decode(entry ? entry.body : reply);
    }
    if (!read) return undefined;
    const verified = async (): Promise<Found | undefined> => {
      const tagged = await tagging.load();
      const verdict = await tagged.verify(markers, read, namespaces);
      const found = verdict === "fresh" ? decode(entry.body) : undefined;
      if (typeof found === "function") verifiedCopies.add(found);
      return found;
    };
    // What settles a call by it awaits it.
    return verified() as Found;
  };
}
