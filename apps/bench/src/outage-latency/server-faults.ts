import {
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import type { UpstashCacheOptions } from "continuum-cache";

/** A server that can be hurt, and how a cache is told of it. */
export interface HurtableServer {
  readonly settings: UpstashCacheOptions;
  readonly redis: RedisServer;
  readonly proxy: FaultProxy;
  readonly gateway: UpstashLocal | undefined;
  close(): Promise<void>;
}

/** One way in which it goes away, for good. */
export interface ServerFault {
  readonly name: string;
  readonly set: (server: HurtableServer) => void | Promise<void>;
}

const token = "bench";

/** Redis, behind a proxy. */
export async function startTcp(): Promise<HurtableServer> {
  const redis = await startRedisServer();
  const proxy = await startFaultProxy({ port: redis.port });
  return {
    settings: { url: `redis://127.0.0.1:${proxy.port}`, mode: "redis" },
    redis,
    proxy,
    gateway: undefined,
    async close() {
      await proxy.close();
      await redis.close();
    },
  };
}

/** A gateway in front of Redis, behind a proxy. */
export async function startRest(): Promise<HurtableServer> {
  const redis = await startRedisServer();
  const gateway = await startUpstashLocal({ port: 0, token, redisUrl: redis.url });
  const proxy = await startFaultProxy({ port: gateway.port });
  return {
    settings: { restUrl: `http://127.0.0.1:${proxy.port}`, restToken: token, mode: "rest" },
    redis,
    proxy,
    gateway,
    async close() {
      await proxy.close();
      await gateway.close();
      await redis.close();
    },
  };
}

const onTheWay: readonly ServerFault[] = [
  { name: "black-holed", set: ({ proxy }) => proxy.set({ kind: "blackhole" }) },
  { name: "half-open, replies lost", set: ({ proxy }) => proxy.set({ kind: "half-open", lost: "replies" }) },
  { name: "reset at a request", set: ({ proxy }) => proxy.set({ kind: "reset" }) },
  { name: "cut off mid-reply", set: ({ proxy }) => proxy.set({ kind: "cut", afterBytes: 1 }) },
  { name: "too slow", set: ({ proxy }) => proxy.set({ kind: "latency", latencyMs: 5_000 }) },
  {
    name: "refusing",
    set({ proxy }) {
      proxy.set({ kind: "refuse" });
      proxy.cut();
    },
  },
];

/** What the Redis protocol may meet. */
export const tcpFaults: readonly ServerFault[] = [
  { name: "killed", set: ({ redis }) => redis.kill() },
  { name: "frozen", set: ({ redis }) => redis.freeze() },
  ...onTheWay,
];

const answers = {
  "401": "unauthorized",
  "429": "quota",
  "daily limit": "daily-limit",
  "500": "error-500",
  "502 in HTML": "html",
  "truncated JSON": "truncate",
  hanging: "hang",
} as const;

/** What the REST API may meet. */
export const restFaults: readonly ServerFault[] = [
  ...onTheWay,
  ...Object.entries(answers).map(
    ([name, fault]): ServerFault => ({ name, set: ({ gateway }) => gateway?.fault(fault) }),
  ),
];
