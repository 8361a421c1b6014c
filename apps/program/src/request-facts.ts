import type { Context } from "hono";

/** What a home knows of each request: `program.fetch(request, { client: "203.0.113.7" })`. */
export interface RequestFacts {
  /** The visitor's address, from a source that visitors can't write. Visitors without one share one limit. */
  readonly client?: string;
  /** Whether the visitor's connection has TLS. Set it when TLS ends at a proxy. @default by the request's URL */
  readonly secure?: boolean;
}

/** Whether the visitor's connection has TLS, which may end at a proxy. */
export function isSecure({ env, req }: Context): boolean {
  const facts: RequestFacts | undefined = env;
  return facts?.secure ?? new URL(req.url).protocol === "https:";
}
