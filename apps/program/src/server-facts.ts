import { type Claim, createClaim } from "@continuum-cache/core";
import type { QueueStats } from "@continuum-cache/federation-queue";
import type { Cache, ServerInfo } from "continuum-cache";
import type { Warmer } from "./warming/warmer.ts";

/** What the server tells of itself and of the queue it holds, asked for as seldom as will do. */
export interface ServerFacts {
  latest(): Promise<Facts>;
}

/** Each is `undefined` while the server does not answer. */
export interface Facts {
  readonly info: ServerInfo | undefined;
  readonly queue: QueueStats | undefined;
}

/** Keys can expire without any command; that may be seen this much later, in milliseconds. */
const staleAfterMs = 60_000;
/** How long a caller waits for another's question before it asks itself, in milliseconds. */
const joinMs = 2_000;

/**
 * Pages poll, and each INFO is billed: an idle server with an open page would use up a free plan within hours. So the
 * server is asked again only after this process has sent it something else, or a minute has passed. What memory answers costs
 * nothing, and where there are no timers it is a call that finds out whether the server is back.
 */
export function createServerFacts(cache: Cache, warmer: Warmer): ServerFacts {
  let known: { readonly facts: Facts; readonly askedAt: number; readonly commands: number } | undefined;
  let asking: Claim | undefined;

  const fresh = (): Facts | undefined => {
    const { commands, outage } = cache.stats();
    if (outage || known?.commands !== commands || performance.now() - known.askedAt >= staleAfterMs) return undefined;
    return known.facts;
  };
  const ask = async (): Promise<Facts> => {
    const askedAt = performance.now();
    // A server that does not answer has no facts; the cache's own statistics count the error.
    const [info, queue] = await Promise.all([cache.info().catch(() => undefined), warmer.stats()]);
    const facts = { info, queue };
    // Its own commands are no reason to ask again.
    known = { facts, askedAt, commands: cache.stats().commands };
    return facts;
  };
  return {
    async latest() {
      if (asking?.isHeld) await asking.over({ timeoutMs: joinMs });
      const facts = fresh();
      if (facts) return facts;
      const own = createClaim();
      asking = own;
      try {
        return await ask();
      } finally {
        own.end();
      }
    },
  };
}
