import type { Backend } from "continuum-cache";

/**
 * Where values are kept now, for people.
 *
 * @param server - What the cache's server is called, if it has one. Visitors see it, so it has no address.
 */
export function placeOf(backend: Backend, server: string | undefined): string {
  if (server === undefined) return "the memory of this process";
  return backend === "upstash" ? server : `the memory of this process, until ${server} answers again`;
}
