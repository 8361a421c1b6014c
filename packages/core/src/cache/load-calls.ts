import type { CacheCallOptions } from "./call-options.ts";
import type { Engine } from "./engine.ts";
import { assertGetOrSet, type GetOrSetOptions, type LoaderContext } from "./get-or-set.ts";

/** The calls of a cache that load what is missing. */
export abstract class LoadCalls {
  protected abstract readonly engine: Engine;
  protected abstract readonly defaults: CacheCallOptions | undefined;

  /**
   * Reads a value, or loads and stores it. All callers of this process that wait for a key share one run of the loader,
   * and each gets a copy of the value, or its error. The value is not stored when the key is written or deleted
   * meanwhile. When the cache is away, or can't hold the value, it is returned and an `error` event is emitted.
   *
   * The options say for how long a value is served that is no longer fresh, and when: see docs/freshness.md.
   *
   * @example
   * ```ts
   * import type { Cache } from "@continuum-cache/core";
   *
   * async function priceOf(cache: Cache, id: string, load: (id: string, signal: AbortSignal) => Promise<number>) {
   *   return cache.getOrSet(`price:${id}`, ({ signal }) => load(id, signal), {
   *     ttl: "1m",
   *     staleWhileRevalidate: "10s", // no caller waits for a new price
   *     staleIfError: "1h", // nor fails when there is none
   *   });
   * }
   * ```
   */
  async getOrSet<T>(
    key: string,
    loader: (context: LoaderContext) => T | Promise<T>,
    options?: GetOrSetOptions<T>,
  ): Promise<T> {
    const asked = options as GetOrSetOptions | undefined;
    assertGetOrSet("cache.getOrSet", loader, asked);
    return this.engine.getOrSet(key, loader, this.defaults ? { ...this.defaults, ...asked } : asked) as Promise<T>;
  }
}
