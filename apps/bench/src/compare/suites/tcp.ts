import { commands, cpu, perSecond } from "../columns.ts";
import { burstScenario, type KeyValue, keyValueScenarios, openKeyValue, ttlSeconds } from "../key-value.ts";
import { timeout } from "../patience.ts";
import { connectMiniResp } from "../references/mini-resp.ts";
import type { Contender, Suite } from "../suite.ts";

const contender = (name: string, kind: string, connect: (url: string) => Promise<KeyValue>): Contender => ({
  name,
  kind,
  open: async ({ redisUrl }) => openKeyValue(name, await connect(redisUrl)),
});

/** What clients that speak text have in common: JSON around it. */
interface TextClient {
  get(key: string): Promise<string | null>;
  set(key: string, text: string): Promise<unknown>;
  close(): unknown;
}

const withJson = ({ get, set, close }: TextClient): KeyValue => ({
  get: async (key) => JSON.parse((await get(key)) ?? "null"),
  set: (key, value) => set(key, JSON.stringify(value)),
  close,
});

/** The part of ioredis that its versions and its fork share. */
interface Ioredis {
  get(key: string): Promise<string | null>;
  set(key: string, text: string, unit: "EX", seconds: number): Promise<unknown>;
  disconnect(): void;
}

const ioredis = (client: Ioredis): KeyValue =>
  withJson({
    get: (key) => client.get(key),
    set: (key, text) => client.set(key, text, "EX", ttlSeconds),
    close: () => client.disconnect(),
  });

const auto = { enableAutoPipelining: true };

/** Get and set over the Redis protocol. */
export const tcp: Suite = {
  name: "tcp",
  title: "Get and set over the Redis protocol",
  about: "Values of 1 KB of JSON under 1,000 keys, all set with an expiry.",
  servers: "redis",
  value: perSecond,
  columns: [cpu, commands],
  scenarios: [...keyValueScenarios, burstScenario],
  contenders: [
    contender("UpstashCache", "ours", async (url) => {
      const { UpstashCache } = await import("continuum-cache");
      return new UpstashCache({ url, timeout });
    }),
    contender("Cache on tcpTransport", "ours", async (url) => {
      const { Cache } = await import("@continuum-cache/core");
      const { tcpTransport } = await import("@continuum-cache/transport-tcp");
      return new Cache({ transport: tcpTransport({ url, timeout }), timeout });
    }),
    contender("keyv + @keyv/redis", "the best cache", async (url) => {
      const { default: Keyv } = await import("keyv");
      const { default: KeyvRedis } = await import("@keyv/redis");
      const keyv = new Keyv(new KeyvRedis(url));
      return {
        get: (key) => keyv.get(key),
        set: (key, value) => keyv.set(key, value, ttlSeconds * 1_000),
        close: () => keyv.disconnect(),
      };
    }),
    contender("bentocache, Redis driver on ioredis 6", "the best cache", async (url) => {
      const { BentoCache, bentostore } = await import("bentocache");
      const { redisDriver } = await import("bentocache/drivers/redis");
      const { hostname, port } = new URL(url);
      const driver = redisDriver({ connection: { host: hostname, port: Number(port) } });
      const bento = new BentoCache({ default: "redis", stores: { redis: bentostore().useL2Layer(driver) } });
      return {
        get: (key) => bento.get({ key }),
        set: (key, value) => bento.set({ key, value, ttl: ttlSeconds * 1_000 }),
        close: () => bento.disconnectAll(),
      };
    }),
    contender("ioredis 5", "the best client", async (url) => ioredis(new (await import("ioredis-5")).Redis(url))),
    contender("ioredis 5, auto pipelining", "the best client", async (url) =>
      ioredis(new (await import("ioredis-5")).Redis(url, auto)),
    ),
    contender("ioredis 6", "the best client", async (url) => ioredis(new (await import("ioredis")).Redis(url))),
    contender("ioredis 6, auto pipelining", "the best client", async (url) =>
      ioredis(new (await import("ioredis")).Redis(url, auto)),
    ),
    contender("iovalkey", "the best client", async (url) => ioredis(new (await import("iovalkey")).Redis(url))),
    contender("iovalkey, auto pipelining", "the best client", async (url) =>
      ioredis(new (await import("iovalkey")).Redis(url, auto)),
    ),
    contender("node-redis", "the best client", async (url) => {
      const { createClient } = await import("redis");
      const client = await createClient({ url }).connect();
      return withJson({
        get: (key) => client.get(key),
        set: (key, text) => client.set(key, text, { expiration: { type: "EX", value: ttlSeconds } }),
        close: () => client.destroy(),
      });
    }),
    contender("minimal RESP client", "the minimal RESP client", async (url) => {
      const client = connectMiniResp(url);
      return withJson({
        get: (key) => client.command("GET", key) as Promise<string | null>,
        set: (key, text) => client.command("SET", key, text, "EX", ttlSeconds),
        close: () => client.close(),
      });
    }),
  ],
};
