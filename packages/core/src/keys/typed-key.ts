declare const value: unique symbol;

/**
 * A key that says which values stand under it. It is a plain string at run time; a pattern with a `schema` makes it.
 *
 * @example
 * ```ts
 * import type { Cache, Key } from "@continuum-cache/core";
 *
 * const visits = async (cache: Cache, key: Key<number>): Promise<number> => (await cache.get(key)) ?? 0;
 * ```
 */
export type Key<Value> = string & { readonly [value]: Value };

/** The values that stand under a key: `unknown` for a plain string. */
export type ValueOf<K extends string> = K extends Key<infer Value> ? Value : unknown;
