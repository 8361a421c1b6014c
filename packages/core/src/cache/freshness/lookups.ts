import { assertKey } from "../../keys/key-limit.ts";
import type { KeepRead } from "../../ports/near-cache.ts";
import type { Reply } from "../../ports/transport.ts";
import { type EntryHeader, openEntry } from "../entry.ts";
import type { GetOrSetParts, Tolerate } from "../get-or-set.ts";
import { graceMs } from "../load-times.ts";
import type { JoinWait } from "../loads.ts";
import { ReadRequest } from "../requests.ts";
import type { Copies } from "../values.ts";
import { decide } from "./decide.ts";
import type { FreshPlan } from "./fresh-plan.ts";

/** A value that stands under a key, fresh or not. */
export interface Found {
  readonly header: EntryHeader;
  /** As the codec reads it, before any schema. */
  readonly copies: Copies;
  /** As it is stored. */
  readonly stored: string | Uint8Array;
}

/** Reads values with their headers. */
export interface Lookups {
  /** @param keep - Keeps the value too. @throws TypeError or RangeError when it can't be a key. */
  requestOf(key: string, keep?: KeepRead): ReadRequest<Found | undefined>;
  /** Reads one value. Calls for a key that is being read share the read, unless the key was written since. */
  one(request: ReadRequest<Found | undefined>, key: string, plan: FreshPlan, wait: Wait): Promise<Found | undefined>;
  /** Reads several values in one round trip. @param key - Named by the event of a failure. */
  many(
    requests: readonly ReadRequest<Found | undefined>[],
    key: string,
    plan: FreshPlan,
  ): Promise<(Found | undefined)[]>;
}

type Wait = Pick<JoinWait, "timeoutMs" | "signal">;

export function createLookups(parts: GetOrSetParts, tolerate: Tolerate): Lookups {
  const { calls, values, fullKeyOf, stats, readsOf } = parts;

  const checked = (key: string): string => {
    assertKey(key);
    const full = fullKeyOf(key);
    assertKey(full);
    return full;
  };

  const read = (operation: string, key: string, reply: Reply | undefined): Found | undefined => {
    const stored = typeof reply === "string" || reply instanceof Uint8Array ? reply : "";
    const entry = openEntry(stored);
    if (entry?.header.placeholder) return undefined;
    const copies = values.copiesOfBody(operation, key, entry ? entry.body : reply);
    return copies && { header: entry?.header ?? {}, copies, stored };
  };

  /** Whether a value counts as a hit depends on what the call may be served. */
  const count = (found: Found | undefined, plan: FreshPlan): void => {
    const decision = found ? decide(found.header, plan, Date.now(), 0) : "load";
    if (decision === "serve" || decision === "refresh") stats.counts.hits++;
    else stats.counts.misses++;
  };
  const uncounted = { ...stats.counts };

  return {
    requestOf(key, keep) {
      const reading = (operation: string, name: string, reply: Reply | undefined): Found | undefined => {
        const found = read(operation, name, reply);
        if (found) keep?.(reply, undefined);
        return found;
      };
      return new ReadRequest(checked, "getOrSet", key, keep ? reading : read, uncounted);
    },
    async one(request, key, plan, wait) {
      const run = async (): Promise<Found | undefined> => {
        const found = await tolerate(key, plan.insists, () => calls.read(() => request, key, plan.reading));
        count(found, plan);
        return found;
      };
      const longestRunMs = (plan.thirdMs ?? parts.timeoutMs) + graceMs;
      // A read that began before a write of this process is no answer to a call that comes after the write.
      return (await readsOf(!plan.insists).join(request.fullKey, run, { ...wait, longestRunMs })) as Found | undefined;
    },
    async many(requests, key, plan) {
      const found = await tolerate(key, plan.insists, () => calls.readAll(requests, plan.reading));
      return requests.map((_, index) => {
        count(found?.[index], plan);
        return found?.[index];
      });
    },
  };
}
