import {
  type Closable,
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import type { Transport } from "@continuum-cache/core";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { FederationQueue } from "../../src/queue/federation-queue.ts";
import type { FederationQueueOptions } from "../../src/queue/options.ts";

type Opened = <T extends Closable>(one: T) => T;

/** A queue whose way to Redis can be troubled, and another whose way is clear. */
export interface Troubled {
  readonly redis: RedisServer;
  readonly proxy: FaultProxy;
  readonly queue: FederationQueue<number>;
  readonly other: FederationQueue<number>;
}

async function start(
  opened: Opened,
  options: FederationQueueOptions,
  connect: (redis: RedisServer) => Promise<{ readonly proxy: FaultProxy; readonly transport: Transport }>,
): Promise<Troubled> {
  const redis = opened(await startRedisServer({ appendonly: true }));
  const { proxy, transport } = await connect(redis);
  const queue = opened(new FederationQueue<number>({ transport }, { timeout: "1s", ...options }));
  // Nothing is in its way but a busy machine.
  const clear = opened(tcpTransport({ url: redis.url }));
  const other = opened(new FederationQueue<number>({ transport: clear }, { ...options, timeout: "30s" }));
  return { redis, proxy, queue, other };
}

/** The ways to a server, and what may stand in them. */
export const faulty: readonly {
  readonly name: string;
  start(opened: Opened, options?: FederationQueueOptions): Promise<Troubled>;
}[] = [
  {
    name: "Redis protocol",
    start: (opened, options = {}) =>
      start(opened, options, async (redis) => {
        const proxy = opened(await startFaultProxy({ port: redis.port }));
        return { proxy, transport: opened(tcpTransport({ url: `redis://127.0.0.1:${proxy.port}`, timeout: "1s" })) };
      }),
  },
  {
    name: "REST",
    start: (opened, options = {}) =>
      start(opened, options, async (redis) => {
        const gateway = opened(await startUpstashLocal({ port: 0, token: "test", redisUrl: redis.url }));
        const proxy = opened(await startFaultProxy({ port: Number(new URL(gateway.url).port) }));
        const url = `http://127.0.0.1:${proxy.port}`;
        return { proxy, transport: opened(restTransport({ url, token: "test", timeout: "1s" })) };
      }),
  },
];
