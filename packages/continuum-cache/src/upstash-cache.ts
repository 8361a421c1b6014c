import { Cache, keys } from "@continuum-cache/core";
import { PubSub, type PubSubOptions } from "@continuum-cache/pubsub";
import { codecsFor } from "./codecs.ts";
import type { Environment, UpstashCacheOptions } from "./settings.ts";
import { stackOf } from "./stack.ts";

/**
 * The cache with everything composed: backend, fallback, codecs and key families, configured by options and environment.
 * Making one is synchronous and touches nothing; it connects at its first use.
 *
 * @throws ConfigError that names the option or variable to mend.
 *
 * @example
 * ```ts
 * import { keys, UpstashCache } from "continuum-cache";
 *
 * const cache = new UpstashCache(); // UPSTASH_REDIS_REST_URL and …_TOKEN, or UPSTASH_REDIS_URL, or local memory
 * const answer = await cache.getOrSet(keys.query.of("what is a lattice?"), async () => "a crossing of laths");
 * console.log(answer, cache.currentBackend);
 * await cache.close();
 * ```
 */
export class UpstashCache extends Cache {
  constructor(options: UpstashCacheOptions = {}) {
    const { keyPrefix, defaultTtl, maxValueBytes, timeout, env = processEnvironment() } = options;
    super({
      transport: stackOf(options, env),
      codec: codecsFor(options.codec),
      patterns: Object.values(keys),
      ...(keyPrefix !== undefined && { keyPrefix }),
      ...(defaultTtl !== undefined && { defaultTtl }),
      ...(maxValueBytes !== undefined && { maxValueBytes }),
      ...(timeout !== undefined && { timeout }),
    });
  }

  /**
   * Publishes and listens on the cache's backend, with its codec: see `PubSub`. All of a cache listen through one
   * connection. Close it before the cache.
   */
  pubsub(options: PubSubOptions = {}): PubSub {
    return new PubSub(this, options);
  }
}

/** The variables of a Node process; none where there is no such thing, as in a Worker, which passes its own `env`. */
function processEnvironment(): Environment {
  return (globalThis as { process?: { env?: Environment } }).process?.env ?? {};
}
