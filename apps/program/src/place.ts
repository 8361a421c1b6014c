import type { Backend } from "continuum-cache";

/**
 * Where values are kept now, for people.
 *
 * @param server - The server that the cache was given, if it was given one.
 */
export function placeOf(backend: Backend, server: string | undefined): string {
  if (server === undefined) return "the memory of this process";
  return backend === "upstash" ? server : `the memory of this process, until ${server} answers again`;
}
