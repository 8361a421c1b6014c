import { Cache, type CacheCallOptions } from "@continuum-cache/core";
import { assertOptions } from "@continuum-cache/core/kit";
import { type PublishOptions, PubSub, type PubSubOptions } from "@continuum-cache/pubsub";
import { codecsFor } from "./codecs.ts";
import { nearOption } from "./lazy/late-near-cache.ts";
import { knownOptions, type UpstashCacheOptions } from "./settings/cache-options.ts";
import { processEnvironment } from "./settings/environment.ts";
import { stackOf } from "./stack.ts";

/**
 * The cache with everything composed: backend, fallback and codecs, configured by options and environment.
 * Making one is synchronous and touches nothing; it connects at its first use.
 *
 * @throws ConfigError that names the option or variable to fix.
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
  /** Made at the first publish with a history; all views of this cache share it. */
  private readonly publisher: () => PubSub = once(() => this.pubsub());

  constructor(options: UpstashCacheOptions = {}) {
    assertOptions("new UpstashCache", options, knownOptions);
    const { keyPrefix, defaultTtl, maxValueBytes, timeout, env = processEnvironment() } = options;
    const near = nearOption(options.near);
    super({
      transport: stackOf(options, env),
      codec: codecsFor(options.codec),
      ...(keyPrefix !== undefined && { keyPrefix }),
      ...(defaultTtl !== undefined && { defaultTtl }),
      ...(maxValueBytes !== undefined && { maxValueBytes }),
      ...(timeout !== undefined && { timeout }),
      ...(near && { near }),
    });
  }

  /**
   * Sends a message to all subscribers of a channel. With `replay` the message is kept in the channel's history too,
   * for later subscribers: 3 commands then, else 1.
   *
   * @returns how many connections received it.
   */
  override async publish(
    channel: string,
    data: unknown,
    options: CacheCallOptions & Pick<PublishOptions, "replay"> = {},
  ): Promise<number> {
    const { replay, ...callOptions } = options;
    if (!replay) return super.publish(channel, data, callOptions);
    return (await this.publisher().publish(channel, data, { ...this.defaults, ...options })).receivers;
  }

  /**
   * Publishes and listens on the cache's backend, with its codec: see `PubSub`. All subscriptions of a cache share one
   * connection, and end with it.
   */
  pubsub(options: PubSubOptions = {}): PubSub {
    return new PubSub(this, options);
  }
}

function once<Made>(make: () => Made): () => Made {
  let made: { readonly it: Made } | undefined;
  return () => {
    made ??= { it: make() };
    return made.it;
  };
}
