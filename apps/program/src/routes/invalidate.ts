import { type Cache, keys } from "continuum-cache";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { InvalidateAnswer } from "../api.ts";
import type { Announcer } from "../live/announcer.ts";

/** The families that this service can load again. It can't load sessions, and other keys are not its own. */
const families = [keys.query.match(), keys.memory.match()];
const expected = `Expected a JSON body such as {"pattern":"${families[0]}"}; the pattern one of ${families.join(", ")}`;

interface Parts {
  readonly cache: Cache;
  readonly announcer: Announcer;
}

/** POST {pattern}: deletes a whole family of cached values. */
export function invalidateRoute({ cache, announcer }: Parts): Hono {
  const limited = bodyLimit({
    maxSize: 1_024,
    onError: (context) => context.json({ error: `${expected}, in at most 1,024 bytes` }, 413),
  });
  return new Hono().post("/", limited, async (context) => {
    // Other sites can make a browser post forms and plain text, but not JSON.
    if (context.req.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase() !== "application/json") {
      return context.json({ error: `${expected}, with content-type: application/json` }, 415);
    }
    const body: unknown = await context.req.json().catch(() => undefined);
    const pattern = (body as { pattern?: unknown } | null | undefined)?.pattern;
    if (typeof pattern !== "string" || !families.includes(pattern)) return context.json({ error: expected }, 400);
    const deleted = await cache.deletePattern(pattern);
    announcer.memory({ type: "cache_invalidated", pattern, deleted });
    return context.json<InvalidateAnswer>({ pattern, deleted, backend: cache.currentBackend });
  });
}
