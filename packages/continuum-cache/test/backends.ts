import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import type { UpstashCacheOptions } from "continuum-cache";

/** A running backend, and how an `UpstashCache` is told of it: by environment alone. */
export interface RunningBackend {
  readonly env: Record<string, string>;
  /** The Redis at the bottom, where there is one. */
  readonly redis?: RedisServer;
  close(): Promise<void>;
}

export interface BackendUnderTest {
  readonly name: string;
  start(): Promise<RunningBackend>;
}

const restEnv = (url: string): Record<string, string> => ({
  UPSTASH_REDIS_REST_URL: url,
  UPSTASH_REDIS_REST_TOKEN: "local",
});

/** Every backend that a cache can be given by its environment. */
export const backends: readonly BackendUnderTest[] = [
  {
    name: "local memory",
    start: async () => ({ env: { CONTINUUM_CACHE_MODE: "local" }, close: async () => {} }),
  },
  {
    name: "REST over the embedded engine",
    async start() {
      const server = await startUpstashLocal({ port: 0, token: "local" });
      return { env: restEnv(server.url), close: () => server.close() };
    },
  },
  {
    name: "REST over Redis",
    async start() {
      const redis = await startRedisServer();
      const server = await startUpstashLocal({ port: 0, token: "local", redisUrl: redis.url });
      const close = async () => {
        await server.close();
        await redis.close();
      };
      return { env: restEnv(server.url), redis, close };
    },
  },
  {
    name: "Redis protocol",
    async start() {
      const redis = await startRedisServer();
      return { env: { UPSTASH_REDIS_URL: redis.url }, redis, close: () => redis.close() };
    },
  },
];

/** Options that keep a test quiet and alone: its own environment, no warning. */
export const optionsFor = (backend: RunningBackend, more: UpstashCacheOptions = {}): UpstashCacheOptions => ({
  env: backend.env,
  warn: () => {},
  ...more,
});
