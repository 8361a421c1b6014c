import { ConfigError } from "../errors/config-error.ts";
import { quoted } from "../errors/quoted.ts";
import type { Key, ValueOf } from "../keys/typed-key.ts";
import { assertKeyList } from "./arguments.ts";
import { CacheLocks } from "./cache-locks.ts";
import type { CacheCallOptions } from "./call-options.ts";
import type { GetOrSetOptions, LoaderContext } from "./get-or-set.ts";

/** How a function is wrapped: the key of each call, and how `getOrSet` stores its results. */
export interface WrapOptions<Args extends readonly unknown[], T> extends GetOrSetOptions<T> {
  /** The key of the result for these arguments. */
  readonly key: (...args: Args) => string;
}

/** A function whose results the cache keeps. */
export interface Wrapped<Args extends readonly unknown[], T> {
  (...args: Args): Promise<T>;
  /** Deletes the result for these arguments. @returns whether there was one. */
  invalidate(...args: Args): Promise<boolean>;
}

/** The calls of a cache that load what is missing. */
export abstract class LoadCalls extends CacheLocks {
  protected abstract readonly defaults: CacheCallOptions | undefined;

  /** Deletes keys. */
  abstract delete(...keys: readonly string[] | readonly [...string[], CacheCallOptions]): Promise<number>;

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
  async getOrSet<T extends ValueOf<K>, K extends string = string>(
    key: K,
    loader: (context: LoaderContext) => T | Promise<T>,
    options?: GetOrSetOptions<T>,
  ): Promise<K extends Key<infer Value> ? Value : T> {
    assertLoader(loader);
    return this.engine.getOrSet(key, loader, this.merged(options)) as Promise<never>;
  }

  /**
   * Reads several values in one round trip, and loads and stores those that are missing: one call of the loader, which
   * gets the missing keys and brings a Map or a record. Keys that this process is loading already are not loaded again.
   * Commands: one MGET for up to 100 keys, and one SET for each value that was loaded.
   *
   * @returns the values in the order of their keys; `undefined` where the loader brought none.
   *
   * @example
   * ```ts
   * import type { Cache } from "@continuum-cache/core";
   *
   * async function names(cache: Cache, ids: string[], load: (ids: string[]) => Promise<Map<string, string>>) {
   *   return cache.getOrSetMany(ids, (missing) => load(missing), { ttl: "5m" });
   * }
   * ```
   */
  async getOrSetMany<T>(
    keys: readonly string[],
    loader: (missing: string[], context: Pick<LoaderContext, "signal">) => Loaded<T> | Promise<Loaded<T>>,
    options?: GetOrSetOptions<T>,
  ): Promise<(T | undefined)[]> {
    assertKeyList(keys);
    assertLoader(loader);
    const { many } = this.engine.getOrSet;
    return many(keys, loader, this.merged(options === undefined ? {} : options) as GetOrSetOptions) as Promise<never>;
  }

  /**
   * Makes a function whose results the cache keeps, by `getOrSet`. All its options apply.
   *
   * @example
   * ```ts
   * import { type Cache, keyPattern } from "@continuum-cache/core";
   *
   * const order = keyPattern("order:{id}", { ttl: "10m" });
   *
   * async function show(cache: Cache, load: (id: number) => Promise<{ total: number }>): Promise<void> {
   *   const loadOrder = cache.wrap(load, { key: (id) => order({ id }) });
   *   console.log((await loadOrder(7)).total);
   *   await loadOrder.invalidate(7);
   * }
   * ```
   */
  wrap<Args extends readonly unknown[], T>(
    fn: (...args: Args) => T | Promise<T>,
    options: WrapOptions<Args, T>,
  ): Wrapped<Args, T> {
    const { key, ...own } = options ?? {};
    for (const [name, given] of Object.entries({ fn, key })) {
      if (typeof given !== "function")
        throw new ConfigError(name, `Expected \`${name}\` to be a function, got ${quoted(given)}`);
    }
    const call = async (...args: Args): Promise<T> =>
      this.getOrSet(key(...args), () => fn(...args), own as GetOrSetOptions<T>);
    const invalidate = async (...args: Args): Promise<boolean> => (await this.delete(key(...args))) > 0;
    return Object.assign(call, { invalidate });
  }

  /** What is no object stays as it is, to be rejected. */
  private merged<T>(options: GetOrSetOptions<T> | undefined): GetOrSetOptions | undefined {
    const isMergeable = this.defaults && options !== null && (options === undefined || typeof options === "object");
    return (isMergeable ? { ...this.defaults, ...options } : options) as GetOrSetOptions | undefined;
  }
}

/** Values by their keys. */
export type Loaded<T> = ReadonlyMap<string, T> | Readonly<Record<string, T>>;

/** @throws TypeError when there is no loader. */
function assertLoader(loader: unknown): void {
  if (typeof loader === "function") return;
  throw new TypeError(`Expected a loader, a function that brings the value, got ${quoted(loader)}`);
}
