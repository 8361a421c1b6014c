/**
 * Loads a part of the code at its first use, and once for all that wait for it; again after a failure.
 *
 * @param load - Such as `() => import("./part.ts")`.
 *
 * @example
 * ```ts
 * import { loadedOnce } from "@continuum-cache/core";
 *
 * const codecs = loadedOnce(() => import("@continuum-cache/core/msgpack"));
 * const { msgpack } = await codecs();
 * ```
 */
export function loadedOnce<Part>(load: () => Promise<Part>): () => Promise<Part> {
  let loading: Promise<Part> | undefined;
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}
