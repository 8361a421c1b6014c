import type { NearStore } from "../ports/near-cache.ts";
import type { SendOptions } from "../ports/transport.ts";
import type { CacheCallOptions } from "./call-options.ts";

/** The near cache, unless the call goes past it: `fallback: false` insists on an answer of the server. */
export function nearFor(near: NearStore | undefined, options: CacheCallOptions | undefined): NearStore | undefined {
  return options?.near === false || options?.fallback === false ? undefined : near;
}

/**
 * The value that the near cache holds, or can prove to be fresh by a look at the invalidations.
 *
 * @param asked - What the call asks of a look.
 * @returns the value, or undefined where it holds none; a promise where it takes a look, which may prove nothing.
 */
export function heldNear(
  near: NearStore,
  key: string,
  options: CacheCallOptions | undefined,
  asked: SendOptions,
): unknown {
  const signal = options?.signal;
  if (!nearFor(near, options) || signal?.aborted) return undefined;
  const held = near.get(key);
  return held === undefined ? near.prove(key, signal ? { ...asked, signal } : asked) : held;
}
