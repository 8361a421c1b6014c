import type { Cache } from "continuum-cache";
import { Hono } from "hono";
import type { StatsAnswer } from "../api.ts";
import { placeOf } from "../place.ts";
import type { PrimarySwitch } from "../primary-switch.ts";
import type { ServerFacts } from "../server-facts.ts";
import { publicReason } from "../watch/public-reason.ts";
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

/**
 * GET: the state of the service now and in the last ten minutes. Every visitor may read it, so the route names each
 * field: it shows no address, no version and no error text of a server.
 */
export function statsRoute({ cache, facts, knowledge, server, watch, primary }: Parts): Hono {
  return new Hono().get("/", async (context) => {
    const { info, queue } = await facts.latest();
    const { hits, misses, hitRate, errors, commands, trips, latency, outage } = cache.stats();
    return context.json<StatsAnswer>({
      backend: cache.currentBackend,
      place: placeOf(cache.currentBackend, server),
      pending: cache.pending,
      stats: { hits, misses, hitRate, errors, commands, trips, latency },
      outage: outage
        ? {
            sinceMs: outage.sinceMs,
            state: outage.state,
            reason: publicReason(outage.reason),
            journal: outage.journal,
            dropped: outage.dropped,
          }
        : null,
      info: info ? { keys: info.keys } : null,
      queue: queue
        ? {
            depth: queue.depth,
            delayed: queue.delayed,
            inFlight: queue.inFlight,
            dead: queue.dead,
            pending: queue.pending,
          }
        : null,
      watch: watch.seen(),
      primary: primary ? { isCut: primary.isCut } : null,
      knowledge: { concepts: knowledge.conceptCount, terms: knowledge.termCount },
    });
  });
}
