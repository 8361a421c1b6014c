import { type Cache, keys } from "continuum-cache";
import { Hono } from "hono";
import type { Answers } from "../answers.ts";
import type { SearchAnswer } from "../api.ts";
import type { Announcer } from "../live/announcer.ts";
import { titleOf } from "../live/title.ts";
import { readSessionId, writeSessionId } from "../session-cookie.ts";
import type { RecentSearch, Sessions } from "../sessions.ts";
import type { Warmer } from "../warming/warmer.ts";
import type { Knowledge } from "../wordnet/knowledge.ts";

const maxQueryLength = 200;
const maxLimit = 50;

interface Parts {
  readonly cache: Cache;
  readonly answers: Answers;
  readonly sessions: Sessions;
  readonly knowledge: Knowledge;
  readonly announcer: Announcer;
  readonly warmer: Warmer;
  readonly logError: (message: string) => void;
}

/** GET ?q=…&limit=…: the best concepts for a text. */
export function searchRoute(parts: Parts): Hono {
  const { cache, answers, sessions, knowledge, announcer, warmer, logError } = parts;
  /** Adds a search to the session. When that fails, the visitor still gets the results. */
  const remember = async (sessionId: string, search: RecentSearch): Promise<string | undefined> => {
    try {
      if (await sessions.record(sessionId, search)) return sessionId;
      const { id } = await sessions.start();
      announcer.session({ type: "session_started" });
      await sessions.record(id, search);
      return id;
    } catch (error) {
      logError(`A search was not remembered: ${(error as Error).message}`);
      return undefined;
    }
  };

  return new Hono().get("/", async (context) => {
    const asked = readQuery(context.req.query("q"), context.req.query("limit"));
    if ("error" in asked) return context.json(asked, 400);
    const { query, limit } = asked;
    // Texts that differ only in case, blanks or stop words have the same results, so they share one key.
    const key = keys.query.of(`wordnet-3.1 limit=${limit} ${knowledge.normalize(query)}`);
    const answer = await answers.get(key, () => knowledge.search(query, limit));
    const told = { cache: answer.cache, ms: answer.ms };
    const at = new Date().toISOString();
    const [best] = answer.value;
    if (best) announcer.memory({ type: "memory_found", memory_id: best.conceptId, title: titleOf(best) });
    if (best && answer.cache === "miss") warmer.warm(best.conceptId);
    const sessionId = readSessionId(context);
    if (sessionId !== undefined) {
      const kept = await remember(sessionId, { query, ...told, at });
      if (kept !== undefined) {
        writeSessionId(context, kept);
        announcer.session({ type: "session_updated" });
        announcer.search(kept, { query, ...told, at });
      }
    }
    return context.json<SearchAnswer>({ query, results: answer.value, at, ...told, backend: cache.currentBackend });
  });
}

function readQuery(q: string | undefined, limit = "10"): { query: string; limit: number } | { error: string } {
  const query = q?.trim() ?? "";
  if (query === "") return { error: "Expected a query: /api/search?q=dog+that+herds+sheep" };
  if (query.length > maxQueryLength) {
    return { error: `Expected \`q\` to be of at most ${maxQueryLength} characters, got ${query.length}: shorten it` };
  }
  const number = /^\d{1,3}$/.test(limit) ? Number(limit) : Number.NaN;
  if (!(number >= 1 && number <= maxLimit)) {
    const got = JSON.stringify(limit.slice(0, 20));
    return { error: `Expected \`limit\` to be a whole number from 1 to ${maxLimit}, got ${got}` };
  }
  return { query, limit: number };
}
