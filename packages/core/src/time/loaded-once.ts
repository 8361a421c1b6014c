import { hasLastingTimers } from "./platform.ts";

/**
 * Loads a part of the code at its first use, and makes once what all that wait for it share; it loads again after a
 * failure.
 *
 * On the edge a request that ends takes along what others wait for. So there each that waits imports for itself, and
 * the runtime loads the code once.
 *
 * @param load - Such as `() => import("./part.ts")`.
 * @param make - Makes the part of the code. It is called once.
 *
 * @example
 * ```ts
 * import { loadedOnce } from "@continuum-cache/core/kit";
 *
 * const codec = loadedOnce(
 *   () => import("@continuum-cache/core/msgpack"),
 *   ({ msgpack }) => msgpack(),
 * );
 * const { encode } = await codec();
 * ```
 */
export function loadedOnce<Code, Part>(load: () => Promise<Code>, make: (code: Code) => Part): () => Promise<Part> {
  let made: { readonly part: Part } | undefined;
  let loading: Promise<Part> | undefined;
  const begin = async (): Promise<Part> => {
    const code = await load();
    made ??= { part: make(code) };
    return made.part;
  };
  return () => {
    if (!hasLastingTimers()) return made ? Promise.resolve(made.part) : begin();
    loading ??= begin().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}
