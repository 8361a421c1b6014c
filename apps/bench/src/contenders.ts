import { Cache } from "@continuum-cache/core";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { Redis as UpstashRedis } from "@upstash/redis";
import { Redis } from "ioredis";
import type { Contender } from "./contender.ts";

/** Ours never stores without an expiry unless told to, so nobody does: five minutes, its default. */
const ttlSeconds = 300;

/** Over TCP: ours and ioredis, both with JSON. */
export function tcpContenders(url: string): Contender[] {
  const ioredis = new Redis(url);
  return [
    {
      name: "ioredis + JSON",
      get: async (key) => JSON.parse((await ioredis.get(key)) ?? "null"),
      set: (key, value) => ioredis.set(key, JSON.stringify(value), "EX", ttlSeconds),
      close: () => ioredis.quit(),
    },
    ours("continuum-cache (TCP)", new Cache({ transport: tcpTransport({ url }) })),
  ];
}

/** Over REST: ours and @upstash/redis with its defaults. */
export function restContenders(url: string, token: string): Contender[] {
  const upstash = new UpstashRedis({ url, token, enableTelemetry: false });
  return [
    {
      name: "@upstash/redis",
      get: (key) => upstash.get(key),
      set: (key, value) => upstash.set(key, value, { ex: ttlSeconds }),
      close: async () => {},
    },
    ours("continuum-cache (REST)", new Cache({ transport: restTransport({ url, token }) })),
  ];
}

function ours(name: string, cache: Cache): Contender {
  return { name, get: (key) => cache.get(key), set: (key, value) => cache.set(key, value), close: () => cache.close() };
}
