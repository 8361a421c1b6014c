import type { Context } from "hono";

/** What a home tells of each request: `program.fetch(request, { client: "203.0.113.7" })`. */
export interface RequestFacts {
  /** The address that asks, from a source that visitors can't write. Visitors without one share one limit. */
  readonly client?: string;
  /** Whether the visitor's connection is encrypted: to be told where TLS ends in front. @default by the request's URL */
  readonly secure?: boolean;
}

/** Whether the visitor's connection is encrypted, wherever TLS ends. */
export function isSecure({ env, req }: Context): boolean {
  const facts: RequestFacts | undefined = env;
  return facts?.secure ?? new URL(req.url).protocol === "https:";
}
