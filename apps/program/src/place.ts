import type { Backend } from "continuum-cache";

/**
 * Where the cache keeps its values now, in words for people.
 *
 * @param server - The name of the cache's server, if it has one. Visitors see it, so it has no address.
 */
export function placeOf(backend: Backend, server: string | undefined): string {
  if (server === undefined) return "the memory of this process";
  return backend === "upstash" ? server : `the memory of this process, until ${server} answers again`;
}
