import type { QueueStats } from "@continuum-cache/federation-queue";
import type { Cache, ServerInfo } from "continuum-cache";
import type { Warmer } from "./warming/warmer.ts";

/** What the server tells of itself and of the queue it holds, asked for as seldom as will do. */
export interface ServerFacts {
  latest(): Promise<Facts>;
}

/** Each is `undefined` while nobody answers. */
export interface Facts {
  readonly info: ServerInfo | undefined;
  readonly queue: QueueStats | undefined;
}

/** Keys can expire while nobody does anything; that may be seen this much later, in milliseconds. */
const staleAfterMs = 60_000;

/**
 * Pages poll, and each INFO is billed: an idle server with an open page would use up a free plan within hours. So the
 * server is asked again only after this process has sent it something else, or a minute has passed. What memory answers costs
 * nothing, and where there are no timers it is a call that finds out whether the server is back.
 */
export function createServerFacts(cache: Cache, warmer: Warmer): ServerFacts {
  let facts: { readonly askedAt: number; commands: number; readonly told: Promise<Facts> } | undefined;
  const ask = async (): Promise<Facts> => {
    // Where nobody answers there are no facts; the cache's own statistics count the error.
    const [info, queue] = await Promise.all([cache.info().catch(() => undefined), warmer.stats()]);
    return { info, queue };
  };
  return {
    latest() {
      const { commands, outage } = cache.stats();
      const fresh = !outage && facts && facts.commands === commands && performance.now() - facts.askedAt < staleAfterMs;
      if (facts && fresh) return facts.told;
      const asked = {
        askedAt: performance.now(),
        commands,
        told: ask(),
      };
      facts = asked;
      return asked.told.finally(() => {
        // Its own commands are no reason to ask again.
        asked.commands = cache.stats().commands;
      });
    },
  };
}
