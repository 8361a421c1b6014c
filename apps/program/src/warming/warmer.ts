import { FederationQueue, type QueueStats } from "@continuum-cache/federation-queue";
import { type Cache, keys } from "continuum-cache";
import type { Announcer } from "../live/announcer.ts";
import { titleOf } from "../live/title.ts";
import type { Knowledge } from "../wordnet/knowledge.ts";
import type { Memory } from "../wordnet/memory.ts";

/**
 * Loads the memories that visitors are likely to open next into the cache. One server of those that share a Redis
 * loads each of them. No answer waits for it.
 */
export interface Warmer {
  /** Queues a memory that a search has found. */
  warm(conceptId: string): void;
  /** The state of the queue; `undefined` while Redis does not answer. */
  stats(): Promise<QueueStats | undefined>;
  /** Finishes the jobs of this process; other servers take the rest. */
  close(): Promise<void>;
}

/** The parts of a warmer. */
export interface WarmerParts {
  readonly cache: Cache;
  readonly knowledge: Knowledge;
  readonly announcer: Announcer;
  /** Gets the errors of warming: the visitor of the search already has the answer. */
  readonly logError: (message: string) => void;
}

interface Job {
  readonly conceptId: string;
}

/** How long a job is useful: a visitor opens a memory soon or never. Within that time the queue takes a memory once. */
const retention = "10m";
const concurrency = 4;

export function createWarmer({ cache, knowledge, announcer, logError }: WarmerParts): Warmer {
  const queue = new FederationQueue<Job>(cache, {
    retention,
    visibilityTimeout: "10s",
    // A server that closes during an outage loses its few jobs, which no visitor waits for.
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
