import { FederationQueue, type QueueStats } from "@continuum-cache/federation-queue";
import { type Cache, keys } from "continuum-cache";
import type { Announcer } from "../live/announcer.ts";
import { titleOf } from "../live/title.ts";
import type { Knowledge } from "../wordnet/knowledge.ts";
import type { Memory } from "../wordnet/memory.ts";

/**
 * Loads what is likely to be asked for next into the cache: once, whichever server of the same Redis has a hand free. No answer
 * waits for it.
 */
export interface Warmer {
  /** This memory was found, and may soon be opened. */
  warm(conceptId: string): void;
  /** How much there is to do; `undefined` while nobody answers. */
  stats(): Promise<QueueStats | undefined>;
  /** Finishes what is in work here; the rest is left to others. */
  close(): Promise<void>;
}

/** What a warmer is made of. */
export interface WarmerParts {
  readonly cache: Cache;
  readonly knowledge: Knowledge;
  readonly announcer: Announcer;
  /** Is told what could not be warmed: whoever searched has long been answered. */
  readonly logError: (message: string) => void;
}

interface Job {
  readonly conceptId: string;
}

/** What is not warm by then has been opened cold, or is not wanted; until then the same memory is queued once. */
const retention = "10m";
const concurrency = 4;

export function createWarmer({ cache, knowledge, announcer, logError }: WarmerParts): Warmer {
  const queue = new FederationQueue<Job>(cache, {
    retention,
    visibilityTimeout: "10s",
    // A server that leaves during an outage takes its few jobs with it: nobody has to wait for that.
    timeout: "2s",
    outbox: { maxMessages: 100 },
  });
  queue.on("error", ({ operation, error }) => logError(`Warming (${operation}): ${error.message}`));

  queue.consume(
    async ({ conceptId }) => {
      let loaded: Memory | undefined;
      await cache.getOrSet(keys.memory({ conceptId }), () => {
        loaded = knowledge.memory(conceptId);
        return loaded;
      });
      if (loaded) announcer.memory({ type: "memory_updated", memory_id: conceptId, title: titleOf(loaded) });
    },
    { concurrency },
  );

  return {
    warm(conceptId) {
      queue
        .push({ conceptId }, { priority: "low", id: `warm:${conceptId}` })
        .catch((error: Error) => logError(`A memory was not queued to be warmed: ${error.message}`));
    },
    stats: () => queue.stats({ timeout: "1s" }).catch(() => undefined),
    close: () => queue.close(),
  };
}

/** Warms nothing. */
export const noWarmer: Warmer = { warm() {}, stats: async () => undefined, close: async () => {} };
