import type { Cache } from "continuum-cache";
import { Hono } from "hono";

/** GET: whether the service can answer, for load balancers and probes. */
export function healthRoute({ cache }: { readonly cache: Cache }): Hono {
  return new Hono().get("/", async (context) => {
    const ok = await cache.ping();
    return context.json({ ok, backend: cache.currentBackend }, ok ? 200 : 503);
  });
}
