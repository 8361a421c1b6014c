import type { Connection } from "../../src/cache/index.ts";

/** The variables by which a cache finds a history's server. */
export function environmentOf({ kind, port }: Connection): Record<string, string> {
  if (kind === "tcp") return { UPSTASH_REDIS_URL: `redis://127.0.0.1:${port}` };
  return { UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${port}`, UPSTASH_REDIS_REST_TOKEN: "local" };
}
