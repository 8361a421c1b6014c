import type { Cache } from "continuum-cache";
import { Hono } from "hono";
import { placeOf } from "../place.ts";
import type { ServerFacts } from "../server-facts.ts";
import type { Knowledge } from "../wordnet/knowledge.ts";

interface Parts {
  readonly cache: Cache;
  readonly facts: ServerFacts;
  readonly knowledge: Knowledge;
  readonly server: string | undefined;
}

/** GET: how the cache is doing. */
export function statsRoute({ cache, facts, knowledge, server }: Parts): Hono {
  return new Hono().get("/", async (context) => {
    const info = await facts.latest();
    return context.json({
      backend: cache.currentBackend,
      place: placeOf(cache.currentBackend, server),
      pending: cache.pending,
      stats: cache.stats(),
      info: info ?? null,
      knowledge: { concepts: knowledge.conceptCount, terms: knowledge.termCount },
    });
  });
}
