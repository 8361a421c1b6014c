import type { FederationQueue, RateLimiter, SyncLog, UpstashCache } from "continuum-cache";

/** What a Worker keeps for all its requests. */
export interface Shared {
  readonly cache: UpstashCache;
  readonly limiter: RateLimiter;
  readonly queue: FederationQueue;
  readonly log: SyncLog;
}

/** How an operation ended: whether the server itself decided, as far as it says so. */
export interface Ended {
  readonly isLocal: boolean;
}

type Run = (shared: Shared, key: string, loadMs: number) => Promise<Ended>;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** An operation whose answer does not say who has answered. */
const plain =
  (work: (shared: Shared, key: string, loadMs: number) => Promise<unknown>): Run =>
  async (...asked) => {
    await work(...asked);
    return { isLocal: false };
  };

/** Every kind of call that shares work within an isolate. */
const operations = {
  get: plain(({ cache }, key) => cache.get(`v:${key}`)),
  set: plain(({ cache }, key) => cache.set(`v:${key}`, key)),
  getOrSet: plain(({ cache }, key, loadMs) =>
    cache.getOrSet(`load:${key}`, () => pause(loadMs).then(() => key), { ttl: "20ms" }),
  ),
  getMany: plain(({ cache }, key) => cache.getMany([`v:${key}`, "v:all", "v:none"])),
  setMany: plain(({ cache }, key) => cache.setMany({ [`v:${key}`]: 1, "v:all": 2 })),
  delete: plain(({ cache }, key) => cache.delete(`v:${key}`)),
  deletePattern: plain(({ cache }, key) => cache.deletePattern(`v:${key}*`)),
  increment: plain(({ cache }, key) => cache.increment(`n:${key}`)),
  push: plain(({ cache }, key) => cache.lpush(`l:${key}`, 1)),
  pop: plain(({ cache }, key) => cache.rpop(`l:${key}`)),
  range: plain(({ cache }, key) => cache.lrange(`l:${key}`, 0, 5)),
  pipeline: plain(({ cache }, key) => cache.pipeline().increment(`p:${key}`).get(`v:${key}`).execute()),
  transaction: plain(({ cache }, key) => cache.transaction().increment(`p:${key}`).expire(`p:${key}`, "1h").execute()),
  publish: plain(({ cache }, key) => cache.publish(`c:${key}`, key)),
  publishKept: plain(({ cache }, key) => cache.publish(`r:${key}`, key, { replay: true })),
  limit: async ({ limiter }, key) => ({ isLocal: (await limiter.limit(key)).source === "local" }),
  // A limit that is used up all the time, so that callers wait in line.
  acquire: async ({ limiter }, key) => ({
    isLocal: (await limiter.acquire(`line:${key}`, { window: "100ms", limit: 4 })).source === "local",
  }),
  enqueue: async ({ queue }, key) => ({ isLocal: (await queue.push({ key })).pending === true }),
  work: plain(async ({ queue }) => {
    for (const lease of await queue.pull({ max: 3 })) await lease.ack();
  }),
  append: async ({ log }, key) => ({ isLocal: (await log.append({ key })).pending === true }),
} satisfies Record<string, Run>;

export type Operation = keyof typeof operations;

export const names = Object.keys(operations) as Operation[];

/** Runs one. @param loadMs - How long a loader takes. */
export const run = (name: Operation, shared: Shared, key: string, loadMs: number): Promise<Ended> =>
  operations[name](shared, key, loadMs);
