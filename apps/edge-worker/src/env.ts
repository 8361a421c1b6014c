import type { Environment } from "continuum-cache";

/** What the Worker is given: `vars` of wrangler.jsonc, its bindings, and secrets (`wrangler secret put`). */
export interface Env extends Environment {
  readonly UPSTASH_REDIS_REST_URL: string;
  readonly UPSTASH_REDIS_REST_TOKEN: string;
  readonly LIVE_SOCKETS: DurableObjectNamespace;
}
