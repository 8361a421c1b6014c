import { control, site } from "@continuum-cache/runtime-site";
import { same, sameIn, until } from "@continuum-cache/runtime-site/same";
import type { Site } from "@continuum-cache/runtime-site/site";
import { describe, it } from "vitest";
import { keys, RateLimiter, UpstashCache, type UpstashCacheOptions } from "../src/index.ts";

const restEnv = ({ restUrl, restToken }: Site): Readonly<Record<string, string>> => ({
  UPSTASH_REDIS_REST_URL: restUrl,
  UPSTASH_REDIS_REST_TOKEN: restToken,
});

const withCache = async (options: UpstashCacheOptions, work: (cache: UpstashCache) => Promise<void>): Promise<void> => {
  const cache = new UpstashCache({ timeout: "2s", retries: 0, healthCheckInterval: "50ms", ...options });
  try {
    await work(cache);
  } finally {
    await cache.close();
  }
};

/** In a Worker nothing goes on by itself between calls: where it is away, one call in a while asks for the server. */
const untilBack = (cache: UpstashCache): Promise<void> =>
  until("the server is back", async () => {
    await cache.exists("nothing");
    return cache.currentBackend === "upstash";
  });

const ways: readonly (readonly [name: string, env: Readonly<Record<string, string>>])[] = [
  ["REST", restEnv(site)],
  ...(site.keepsSockets ? [["the Redis protocol", { UPSTASH_REDIS_URL: site.redisUrl }] as const] : []),
];
for (const [name, env] of ways) {
  describe(`over ${name}, by the environment`, () => {
    it("does what the README shows", () =>
      withCache({ env, keyPrefix: `${name}:` }, async (cache) => {
        const question = keys.query.of("lattice");
        same(await cache.getOrSet(question, async () => ["a crossing of laths"]), ["a crossing of laths"]);
        same(await cache.get(question), ["a crossing of laths"]);
        await cache.set(keys.session({ userId: "user_123" }), { results: 1 });
        same(await cache.pipeline().get("session:user_123").increment("visits").execute(), [{ results: 1 }, 1]);
        same(cache.currentBackend, "upstash");
        same(await cache.deletePattern("query:*"), 1);
        same(await cache.ping(), true);
      }));

    it("keeps a value in the process until another cache writes it", () => {
      const options = { env, keyPrefix: `near-${name}:`, near: { maxStaleness: "100ms" } } as const;
      return withCache(options, (cache) =>
        withCache(options, async (other) => {
          await cache.set("color", "red");
          await until("it is held", async () => {
            await cache.get("color");
            return cache.peek("color") === "red";
          });
          await other.set("color", "blue");
          await until("the write is seen", async () => (await cache.get("color")) === "blue");
        }),
      );
    });

    it("loads once over all processes, forgets by tag, and takes turns by a lock", () =>
      withCache({ env, keyPrefix: `features-${name}:` }, async (cache) => {
        let loads = 0;
        const options = { tags: ["users"], staleIfError: "1h", singleFlight: "global" } as const;
        const load = () => cache.getOrSet("user:7", () => ++loads, options);
        same([await load(), await load()], [1, 1]);
        await cache.invalidateTags("users");
        same(await load(), 2);
        same(await cache.withLock("user:7", async () => "mine"), "mine");
      }));

    it("limits and publishes on the same backend", () =>
      withCache({ env }, async (cache) => {
        const limiter = new RateLimiter(cache);
        sameIn(await limiter.limit("user_123", { window: "1m", limit: 100, scope: name }), {
          allowed: true,
          current: 1,
          source: "redis",
        });
        await limiter.close();
        const pubsub = cache.pubsub();
        const heard: unknown[] = [];
        await pubsub.subscribe("ws:memory:updates", { onMessage: ({ data }) => heard.push(data) });
        await cache.publish("ws:memory:updates", { id: 7 });
        await until("it is heard", () => heard.length > 0);
        same(heard, [{ id: 7 }]);
        await pubsub.close();
      }));
  });
}

describe("when the REST server dies", () => {
  it("answers from memory, deletes stay deleted, and the server is told when it is back", () =>
    withCache({ env: restEnv(site) }, async (cache) => {
      await cache.setMany({ a: "old", "query:1": "old", n: 5 });
      await control("die");
      same(await cache.delete("a"), 0);
      same([cache.currentBackend, cache.outage === undefined], ["local", false]);
      same(await cache.increment("n", 2), 2);
      await cache.deletePattern("query:*");
      same(await cache.set("b", "new"), true);
      same(await cache.getMany(["a", "b", "query:1"]), [undefined, "new", undefined]);
      same(cache.pending, 4);
      await control("revive");
      await untilBack(cache);
      same(await cache.getMany(["a", "b", "query:1", "n"]), [undefined, "new", undefined, 7]);
      same(cache.pending, 0);
    }));

  it("answers no later than its deadline while the server hangs", () =>
    withCache({ env: restEnv(site), timeout: "300ms" }, async (cache) => {
      await cache.set("k", 1);
      await control("pause");
      same(await cache.set("k", 2), true);
      same(cache.currentBackend, "local");
      await control("resume");
      await untilBack(cache);
    }));
});

describe("without a server", () => {
  it("is local, and says so", () =>
    withCache({ env: {}, mode: "local" }, async (cache) => {
      await cache.set("a", 1);
      same([await cache.get("a"), cache.currentBackend], [1, "local"]);
    }));

  it("names the variable that is missing", async () => {
    let message = "";
    try {
      new UpstashCache({ env: { UPSTASH_REDIS_REST_URL: "https://example.upstash.io" } });
    } catch (error) {
      message = (error as Error).message;
    }
    same(message.includes("UPSTASH_REDIS_REST_TOKEN"), true);
  });
});
