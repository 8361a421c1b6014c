import type { Environment } from "continuum-cache";

/** The environment of the Worker: `vars` of wrangler.jsonc, bindings, and secrets (`wrangler secret put`). */
export interface Env extends Environment {
  readonly UPSTASH_REDIS_REST_URL: string;
  readonly UPSTASH_REDIS_REST_TOKEN: string;
  readonly LIVE_SOCKETS: DurableObjectNamespace;
}
