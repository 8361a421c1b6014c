import type { Cache, ServerInfo } from "continuum-cache";

/** What the server tells of itself, asked for as seldom as will do. */
export interface ServerFacts {
  /** `undefined` while nobody answers. */
  latest(): Promise<ServerInfo | undefined>;
}

/** Keys can expire while nobody does anything; that may be seen this much later, in milliseconds. */
const staleAfterMs = 60_000;

/**
 * Pages poll, and each INFO is billed: an idle server with an open page would use up a free plan within hours. So the
 * server is asked again only after this process has sent it something else, or a minute has passed. What memory answers costs
 * nothing, and where there are no timers it is a call that finds out whether the server is back.
 */
export function createServerFacts(cache: Cache): ServerFacts {
  let facts: { readonly askedAt: number; commands: number; readonly info: Promise<ServerInfo | undefined> } | undefined;
  return {
    latest() {
      const { commands, outage } = cache.stats();
      const fresh = !outage && facts && facts.commands === commands && performance.now() - facts.askedAt < staleAfterMs;
      if (facts && fresh) return facts.info;
      const asked = {
        askedAt: performance.now(),
        commands,
        // Where nobody answers there are no facts; the cache's own statistics count the error.
        info: cache.info().catch(() => undefined),
      };
      facts = asked;
      return asked.info.finally(() => {
        // Its own commands are no reason to ask again.
        asked.commands = cache.stats().commands;
      });
    },
  };
}
