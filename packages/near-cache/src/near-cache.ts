import { escapeGlob } from "@continuum-cache/core";
import { answerSyncOf, type NearCache, serverOf } from "@continuum-cache/core/kit";
import { feedOf } from "./feed/feed.ts";
import type { NearCacheOptions } from "./options.ts";
import { readNearCacheOptions } from "./settings.ts";
import { NearValues } from "./store/near-values.ts";

/**
 * Keeps values that this process has read in its memory, so that reading them again sends nothing: the option `near`
 * of a cache. No hit is older than `maxStaleness`, whatever is lost, cut, frozen or delayed.
 *
 * Writes of the keys in `patterns` announce themselves in a stream, and each process looks at it before it serves what
 * it holds, at most once in `maxStaleness` and only while it is used. If a look finds that announcements are missing,
 * or gets no answer, nothing is held any longer.
 *
 * @throws ConfigError that quotes what came when an option is unknown or can't be.
 *
 * @example
 * ```ts
 * import { Cache, type Transport } from "@continuum-cache/core";
 * import { nearCache } from "@continuum-cache/near-cache";
 *
 * async function readTwice(transport: Transport): Promise<void> {
 *   const cache = new Cache({ transport, near: nearCache({ patterns: ["memory:*"], maxStaleness: "1s" }) });
 *   await cache.get("memory:7"); // from the server
 *   await cache.get("memory:7"); // from this process
 *   console.log(cache.peek("memory:7"), cache.stats().near?.hits);
 *   await cache.close();
 * }
 * ```
 */
export function nearCache(options: NearCacheOptions = {}): NearCache {
  const settings = readNearCacheOptions(options);
  return {
    attach(host) {
      if (answerSyncOf(host.transport)) return undefined;
      const globs = settings.globs.map((glob) => escapeGlob(host.keyPrefix) + glob);
      return new NearValues(settings, host, feedOf(serverOf(host.transport), host.timeoutMs), globs);
    },
  };
}
