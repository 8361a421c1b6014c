import type { Cache } from "continuum-cache";
import { Hono } from "hono";
import { msSince } from "../answers.ts";
import type { SessionAnswer } from "../api.ts";
import type { Announcer } from "../live/announcer.ts";
import { sessionChannel } from "../live/session-channel.ts";
import { readSessionId, writeSessionId } from "../session-cookie.ts";
import type { Session, Sessions } from "../sessions.ts";

interface Parts {
  readonly cache: Cache;
  readonly sessions: Sessions;
  readonly announcer: Announcer;
}

/** GET: the visitor's session; a visitor without one gets a new one. */
export function sessionRoute({ cache, sessions, announcer }: Parts): Hono {
  return new Hono().get("/", async (context) => {
    const startedAt = performance.now();
    const sessionId = readSessionId(context);
    const found = sessionId === undefined ? undefined : await sessions.find(sessionId);
    const told = async (id: string, session: Session, outcome: "hit" | "miss") => {
      const ms = msSince(startedAt);
      const channel = await sessionChannel(id);
      return context.json<SessionAnswer>({ session, channel, cache: outcome, ms, backend: cache.currentBackend });
    };
    if (sessionId !== undefined && found) return told(sessionId, found, "hit");
    // Never under the id that the request sent: an attacker who planted it would know it.
    const { id, session } = await sessions.start();
    writeSessionId(context, id);
    announcer.session({ type: "session_started" });
    return told(id, session, "miss");
  });
}
