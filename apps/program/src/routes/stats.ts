import type { Cache } from "continuum-cache";
import { Hono } from "hono";
import { placeOf } from "../place.ts";
import type { PrimarySwitch } from "../primary-switch.ts";
import type { ServerFacts } from "../server-facts.ts";
import type { Watch } from "../watch/watch.ts";
import type { Knowledge } from "../wordnet/knowledge.ts";

interface Parts {
  readonly cache: Cache;
  readonly facts: ServerFacts;
  readonly knowledge: Knowledge;
  readonly server: string | undefined;
  readonly watch: Watch;
  readonly primary: PrimarySwitch | undefined;
}

/** GET: how the service is doing, and how it was in the last ten minutes. */
export function statsRoute({ cache, facts, knowledge, server, watch, primary }: Parts): Hono {
  return new Hono().get("/", async (context) => {
    const { info, queue } = await facts.latest();
    return context.json({
      backend: cache.currentBackend,
      place: placeOf(cache.currentBackend, server),
      pending: cache.pending,
      stats: cache.stats(),
      outage: cache.stats().outage ?? null,
      info: info ?? null,
      queue: queue ?? null,
      watch: watch.seen(),
      primary: primary ? { isCut: primary.isCut } : null,
      knowledge: { concepts: knowledge.conceptCount, terms: knowledge.termCount },
    });
  });
}
