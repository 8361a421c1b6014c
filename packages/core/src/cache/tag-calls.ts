import type { CacheCallOptions } from "./call-options.ts";
import { loadFeatures } from "./load-features.ts";
import { PlainCalls } from "./plain-calls.ts";
import type { KeysOptions } from "./scan-keys.ts";
import { assertSetOptions, type SetOptions } from "./set-options.ts";
import type { Tagged } from "./tagged.ts";
import type { TimeToLive } from "./time-to-live.ts";

/** The calls of a cache that work on tags, and on keys that are not named one by one. */
export abstract class TagCalls extends PlainCalls {
  /**
   * Invalidates all values with one of these tags, at once and for every process: no call that begins afterwards gets
   * such a value, nor one whose load began before. It is one command, whatever the number of tags and values. A last
   * argument that is no string holds call options.
   *
   * @throws TransportError when no answer came: then the values may still be served.
   *
   * @example
   * ```ts
   * import type { Cache } from "@continuum-cache/core";
   *
   * async function rename(cache: Cache, user: { id: string; name: string }): Promise<void> {
   *   await cache.set(`user:${user.id}`, user, { tags: [`user:${user.id}`, "users"] });
   *   await cache.invalidateTags("users");
   *   console.log(await cache.get(`user:${user.id}`)); // undefined
   * }
   * ```
   */
  invalidateTags(...tags: readonly string[] | readonly [...string[], CacheCallOptions]): Promise<void> {
    return this.removeTags("hard", tags, "invalidateTags");
  }

  /**
   * The same, but `getOrSet` may still serve such a value where its options allow a stale one; for all other reads it
   * is a miss.
   */
  expireTags(...tags: readonly string[] | readonly [...string[], CacheCallOptions]): Promise<void> {
    return this.removeTags("soft", tags, "expireTags");
  }

  /**
   * The keys that match a glob, without the prefix, page by page (SCAN, one command for 1,000 keys of the database, and
   * one for each key found, which tells whether it is only being loaded): each page is read when the one before it has
   * been taken. Every key that is there from beginning to end comes once.
   * Keys of this library's own are left out, but not those whose value has an invalidated tag, except in a namespace.
   * It remembers each key it has seen. `timeout` is for each page.
   *
   * @example
   * ```ts
   * import type { Cache } from "@continuum-cache/core";
   *
   * async function listOrders(cache: Cache): Promise<void> {
   *   for await (const key of cache.keys("order:*", { max: 10_000 })) console.log(key);
   * }
   * ```
   */
  async *keys(glob = "*", options: KeysOptions = {}): AsyncGenerator<string, void, void> {
    const { keysOf } = await loadFeatures();
    yield* keysOf(this.engine, (own) => this.asked(own), glob, options);
  }

  /** Whether a key exists: one that is only being loaded does not, nor does an empty text of another client. */
  exists(key: string, options?: CacheCallOptions): Promise<boolean> {
    return this.one((requests) => requests.exists(key), options);
  }

  /** Gives a key a new time to live; `Infinity` takes its expiry away. @returns false when there is no such key. */
  expire(key: string, ttl: TimeToLive, options?: CacheCallOptions): Promise<boolean> {
    return this.one((requests) => requests.expire(key, ttl), options);
  }

  /** Seconds that a key has left: -1 for ever, -2 when there is none; of a key that is being loaded, its lease's. */
  ttl(key: string, options?: CacheCallOptions): Promise<number> {
    return this.one((requests) => requests.ttl(key), options);
  }

  /** Runs a call by the code for tags: at once, where that is loaded. What `run` throws rejects. */
  protected async tagged<Result>(run: (tagged: Tagged) => Promise<Result>): Promise<Result> {
    const { tagging } = this.engine;
    return run(tagging.calls ?? (await tagging.load()));
  }

  /** Stores values of which some may have tags. @returns whether all were stored. */
  protected setTagged(
    entries: readonly (readonly [key: string, value: unknown])[],
    options: SetOptions & CacheCallOptions = {},
    method: "set" | "setMany",
  ): Promise<boolean> {
    return this.tagged(async (tagged) => {
      assertSetOptions(`cache.${method}`, options, "set and call");
      return tagged.set(this.engine, entries, options, this.asked(options));
    });
  }

  private removeTags(
    kind: "hard" | "soft",
    tags: readonly (string | CacheCallOptions)[],
    method: string,
  ): Promise<void> {
    return this.tagged((tagged) => tagged.remove(kind, this.engine, tags, (own) => this.asked(own, method)));
  }
}
