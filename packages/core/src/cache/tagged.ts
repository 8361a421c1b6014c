import type { SendOptions } from "../ports/transport.ts";
import type { CacheCallOptions } from "./call-options.ts";
import { verifiedCopies } from "./opened-value.ts";
import type { SetOptions } from "./set-options.ts";
import { type AskedBy, createTaggedCalls, type TaggedCalls, type TaggedParts, type TagScope } from "./tagged-calls.ts";
import { existsTagged, expireTagged, setTagged, ttlTagged, type WriteScope } from "./tagged-writes.ts";
import type { TimeToLive } from "./time-to-live.ts";
import type { Copies } from "./values.ts";

/** All calls of values that may have tags or a schema; loaded when it is first needed. */
export interface Tagged extends TaggedCalls {
  /** @returns whether all entries were stored. */
  set(
    scope: WriteScope,
    entries: readonly (readonly [key: string, value: unknown])[],
    options: SetOptions,
    asked: SendOptions,
  ): Promise<boolean>;
  /** Whether its tags were verified for the call that has read it: a call that joins that one does so itself. */
  isVerified(copies: Copies): boolean;
  /** The calls of a namespace, with the arguments of their methods: they verify the value. */
  exists(scope: TagScope, given: readonly unknown[], askedBy: AskedBy): Promise<boolean>;
  expire(scope: TagScope, given: readonly unknown[], askedBy: AskedBy): Promise<boolean>;
  ttl(scope: TagScope, given: readonly unknown[], askedBy: AskedBy): Promise<number>;
}

export function createTagged(parts: TaggedParts): Tagged {
  const calls = createTaggedCalls(parts);
  return {
    ...calls,
    isVerified: (copies) => verifiedCopies.has(copies),
    async set(scope, entries, options, asked) {
      return (await setTagged(calls, scope, entries, options, asked)).every((isStored) => isStored);
    },
    exists: async (scope, [key, options], askedBy) =>
      existsTagged(calls, scope, key as string, askedBy(options as CacheCallOptions)),
    expire: async (scope, [key, ttl, options], askedBy) =>
      expireTagged(calls, scope, key as string, ttl as TimeToLive, askedBy(options as CacheCallOptions)),
    ttl: async (scope, [key, options], askedBy) =>
      ttlTagged(calls, scope, key as string, askedBy(options as CacheCallOptions)),
  };
}
