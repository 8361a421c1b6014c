import { waitUntil } from "cloudflare:workers";
import { FederationQueue, RateLimiter, SyncLog, UpstashCache } from "continuum-cache";
import { type Operation, run, type Shared } from "./operations.ts";

interface Env {
  readonly UPSTASH_REDIS_REST_URL: string;
  readonly UPSTASH_REDIS_REST_TOKEN: string;
  readonly FALLBACK: boolean;
  readonly GOES_ON: boolean;
  readonly TIMEOUT: `${number}s`;
}

/** What a request is to do. With `leaveMs` it ends after that, though its operation may not have. */
export interface Asked {
  readonly operation: Operation;
  readonly key: string;
  readonly loadMs: number;
  readonly leaveMs?: number;
}

/** What it says of its operation. */
export interface Answered {
  readonly isLocal: boolean;
  readonly error?: string;
  readonly ms: number;
}

let shared: Shared | undefined;

function share({ FALLBACK, GOES_ON, TIMEOUT, ...env }: Env): Shared {
  const { UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN } = env;
  const goesOn = GOES_ON ? { waitUntil } : {};
  const cache = new UpstashCache({
    env: { UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN },
    timeout: TIMEOUT,
    fallback: FALLBACK,
    ...goesOn,
  });
  return {
    cache,
    limiter: new RateLimiter(cache, { window: "1s", limit: 100_000, budget: TIMEOUT, ...goesOn }),
    queue: new FederationQueue(cache, { timeout: TIMEOUT }),
    log: new SyncLog(cache, { instanceId: "isolate", timeout: TIMEOUT }),
  };
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    shared ??= share(env);
    const { operation, key, loadMs, leaveMs } = (await request.json()) as Asked;
    const { cache } = shared;
    const beganMs = Date.now();
    const work = run(operation, shared, key, loadMs).then(
      ({ isLocal }): Answered => ({
        isLocal: isLocal || cache.currentBackend === "local",
        ms: Date.now() - beganMs,
      }),
      (error: unknown): Answered => ({ isLocal: false, error: String(error), ms: Date.now() - beganMs }),
    );
    if (leaveMs === undefined) return Response.json(await work);
    await new Promise((resolve) => setTimeout(resolve, leaveMs));
    return new Response("left");
  },
};
