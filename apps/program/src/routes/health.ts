import type { Cache } from "continuum-cache";
import { Hono } from "hono";

/** How long an answer is valid, in milliseconds: a loop of requests costs one command a second. */
const goodForMs = 1_000;

/** GET: whether the service can answer, for load balancers and probes. */
export function healthRoute({ cache }: { readonly cache: Cache }): Hono {
  let last: { readonly ok: boolean; readonly atMs: number } | undefined;
  return new Hono().get("/", async (context) => {
    if (!last || performance.now() - last.atMs >= goodForMs) {
      const ok = await cache.ping();
      last = { ok, atMs: performance.now() };
    }
    const { ok } = last;
    return context.json({ ok, backend: cache.currentBackend }, ok ? 200 : 503);
  });
}
