import { type Claim, createClaim } from "@continuum-cache/core/kit";
import type { QueueStats } from "@continuum-cache/federation-queue";
import type { Cache, ServerInfo } from "continuum-cache";
import type { Warmer } from "./warming/warmer.ts";

/** Facts about the server and the queue that it holds, from as few commands as possible. */
export interface ServerFacts {
  latest(): Promise<Facts>;
}

/** Each is `undefined` while the server does not answer. */
export interface Facts {
  readonly info: ServerInfo | undefined;
  readonly queue: QueueStats | undefined;
}

/** Keys can expire without any command; pages may see that this much later, in milliseconds. */
const staleAfterMs = 60_000;
/** How long a caller waits for another caller's commands before it sends its own, in milliseconds. */
const joinMs = 2_000;

/**
 * Pages poll, and Upstash bills each INFO: an idle server with an open page would use up a free plan within hours. So
 * this asks the server again only after this process has sent it another command, or after a minute. In an outage the
 * memory of this process answers at no cost, and without timers only a call finds out whether the server is back: then
 * it always asks.
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
    // A server that does not answer has no facts; the cache's statistics count the error.
    const [info, queue] = await Promise.all([cache.info().catch(() => undefined), warmer.stats()]);
    const facts = { info, queue };
    // The commands of this call are no reason to ask again.
    known = { facts, askedAt, commands: cache.stats().commands };
    return facts;
  };
  return {
    async latest() {
      if (asking?.isHeld) await asking.released({ timeoutMs: joinMs });
      const facts = fresh();
      if (facts) return facts;
      const own = createClaim();
      asking = own;
      try {
        return await ask();
      } finally {
        own.release();
      }
    },
  };
}
