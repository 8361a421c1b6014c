import type { Cache } from "continuum-cache";
import { Hono } from "hono";
import { msSince } from "../answers.ts";
import { readSessionId, writeSessionId } from "../session-cookie.ts";
import type { Sessions } from "../sessions.ts";

/** GET: the visitor's session; one is started where there is none. */
export function sessionRoute({ cache, sessions }: { readonly cache: Cache; readonly sessions: Sessions }): Hono {
  return new Hono().get("/", async (context) => {
    const startedAt = performance.now();
    const sessionId = readSessionId(context);
    const found = sessionId === undefined ? undefined : await sessions.find(sessionId);
    const told = (session: unknown, outcome: "hit" | "miss") =>
      context.json({ session, cache: outcome, ms: msSince(startedAt), backend: cache.currentBackend });
    if (found) return told(found, "hit");
    // Never under the id that was sent: whoever planted it would know it.
    const { id, session } = await sessions.start();
    writeSessionId(context, id);
    return told(session, "miss");
  });
}
