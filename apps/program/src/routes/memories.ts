import { type Cache, keys } from "continuum-cache";
import { Hono } from "hono";
import type { Answers } from "../answers.ts";
import type { MemoryAnswer } from "../api.ts";
import type { Announcer } from "../live/announcer.ts";
import { titleOf } from "../live/title.ts";
import { parseConceptId } from "../wordnet/concept.ts";
import type { Knowledge } from "../wordnet/knowledge.ts";

interface Parts {
  readonly cache: Cache;
  readonly answers: Answers;
  readonly knowledge: Knowledge;
  readonly announcer: Announcer;
}

/** GET /:conceptId: a concept with those around it. */
export function memoriesRoute({ cache, answers, knowledge, announcer }: Parts): Hono {
  return new Hono().get("/:conceptId", async (context) => {
    const conceptId = context.req.param("conceptId");
    if (!parseConceptId(conceptId)) {
      const expected = "n, v, a or r and eight digits, such as n02107175; a search tells them";
      return context.json({ error: `Expected a concept id, ${expected}` }, 400);
    }
    const { value, ...told } = await answers.get(keys.memory({ conceptId }), () => knowledge.memory(conceptId));
    if (!value) return context.json({ error: `WordNet has no concept ${conceptId}: a search tells those it has` }, 404);
    const type = told.cache === "miss" ? "memory_updated" : "memory_read";
    announcer.memory({ type, memory_id: conceptId, title: titleOf(value) });
    return context.json<MemoryAnswer>({ memory: value, ...told, backend: cache.currentBackend });
  });
}
