import { closing, type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { FederationQueue, SyncLog } from "@continuum-cache/federation-queue";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { UpstashCache, type UpstashCacheOptions } from "continuum-cache";
import { afterEach, describe, expect, it } from "vitest";

const opened = closing(afterEach);
const soon = { timeout: 60_000 };

/** The clients of a server: those that listen, and those that send commands, without the one that asks. */
async function clientsOf(redis: RedisServer): Promise<{ readonly listening: number; readonly sending: number }> {
  const list = String(await redis.command("CLIENT", "LIST"));
  const lines = list.split("\n").filter((line) => line !== "" && !line.includes(" cmd=client"));
  const listening = lines.filter((line) => !/ sub=0 psub=0 /.test(line)).length;
  return { listening, sending: lines.length - listening };
}

/** Everything of a process that listens, on one cache. */
function process(instanceId: string, options: UpstashCacheOptions) {
  const cache = opened(new UpstashCache({ warn: () => {}, ...options }));
  const heard: unknown[] = [];
  const followed: unknown[] = [];
  const done: unknown[] = [];
  const queue = opened(new FederationQueue(cache, { pollInterval: "10m" }));
  const log = opened(new SyncLog(cache, { instanceId, pollInterval: "10m" }));
  return {
    cache,
    heard,
    followed,
    done,
    queue,
    log,
    work: () => void queue.consume((event) => void done.push(event)),
    follow: () =>
      void (async () => {
        for await (const { event } of log.follow()) followed.push(event);
      })(),
    async subscribe() {
      const pubsub = opened(cache.pubsub());
      pubsub.on("message", ({ data }) => void heard.push(data));
      pubsub.on("gap", (gap) => void heard.push(gap));
      await pubsub.subscribe("news");
      return pubsub;
    },
  };
}

type Process = ReturnType<typeof process>;

/** Each feature gets what another client sends, at once: no poll is due for minutes. */
async function expectAllHear({ heard, followed, done }: Process, other: Process): Promise<void> {
  await Promise.all([other.cache.publish("news", "news"), other.queue.push("job"), other.log.append("event")]);
  await expect.poll(() => [heard.at(-1), done.at(-1), followed.at(-1)], soon).toEqual(["news", "job", "event"]);
}

/** In which order the features of a process begin. */
const orders = [
  ["subscribe", "work", "follow"],
  ["work", "follow", "subscribe"],
  ["follow", "subscribe", "work"],
] as const;

describe("a process with a cache, pub/sub, a queue's worker and a log's follower", () => {
  it.each(orders)("has 2 connections to Redis: one for commands, one that listens (%s, %s, %s)", async (...order) => {
    const redis = opened(await startRedisServer());
    const one = process("one", { mode: "redis", url: redis.url });
    await one.cache.set("key", 1);
    for (const begin of order) await one[begin]();
    await expect
      .poll(() => redis.command("PUBSUB", "NUMSUB", "news", "fed:queue", "fed:sync:events"), soon)
      .toEqual(["news", 1, "fed:queue", 1, "fed:sync:events", 1]);
    await expect.poll(() => clientsOf(redis), soon).toEqual({ listening: 1, sending: 1 });
    await expectAllHear(one, process("other", { mode: "redis", url: redis.url }));
    expect(one.heard).toEqual(["news"]);
  });

  it.each(orders)("has 1 stream over REST (%s, %s, %s)", async (...order) => {
    const redis = opened(await startRedisServer());
    const rest = opened(await startUpstashLocal({ port: 0, redisUrl: redis.url }));
    const one = process("one", { mode: "rest", restUrl: rest.url, restToken: rest.token });
    for (const begin of order) await one[begin]();
    await expect
      .poll(() => redis.command("PUBSUB", "NUMSUB", "news", "fed:queue", "fed:sync:events"), soon)
      .toEqual(["news", 1, "fed:queue", 1, "fed:sync:events", 1]);
    await expect.poll(async () => (await clientsOf(redis)).listening, soon).toBe(1);
    await expectAllHear(one, process("other", { mode: "redis", url: redis.url }));
    expect(one.heard).toEqual(["news"]);
  });
});
