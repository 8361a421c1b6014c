import {
  type Closable,
  closing as closingAfter,
  type RedisServer,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import type { Transport } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { afterEach } from "vitest";
import { FederationQueue } from "../../src/queue/federation-queue.ts";
import type { FederationQueueOptions } from "../../src/queue/options.ts";

/** Registers whatever a test opens, to be closed after it. */
export const closing = (): (<T extends Closable>(opened: T) => T) => closingAfter(afterEach);

/** A server, and ways to it. */
export interface Backend {
  readonly name: string;
  open(): Promise<Opened>;
}

export interface Opened {
  /** Transports of processes of their own. */
  connect(): Transport;
  /** Absent where there is none. */
  readonly redis?: RedisServer;
  close(): Promise<void>;
}

async function overTcp(): Promise<Opened> {
  const redis = await startRedisServer();
  const transports: Transport[] = [];
  return {
    redis,
    connect() {
      const transport = tcpTransport({ url: redis.url });
      transports.push(transport);
      return transport;
    },
    async close() {
      await Promise.all(transports.map((transport) => transport.close()));
      await redis.close();
    },
  };
}

async function overRest(): Promise<Opened> {
  const redis = await startRedisServer();
  const gateway = await startUpstashLocal({ port: 0, token: "test", redisUrl: redis.url });
  const transports: Transport[] = [];
  return {
    redis,
    connect() {
      const transport = restTransport({ url: gateway.url, token: "test" });
      transports.push(transport);
      return transport;
    },
    async close() {
      await Promise.all(transports.map((transport) => transport.close()));
      await gateway.close();
      await redis.close();
    },
  };
}

async function inMemory(): Promise<Opened> {
  const transport = memoryTransport();
  return { connect: () => transport, close: () => transport.close() };
}

export const tcp: Backend = { name: "Redis protocol", open: overTcp };
export const rest: Backend = { name: "REST", open: overRest };
export const memory: Backend = { name: "memory", open: inMemory };
export const servers: readonly Backend[] = [tcp, rest];
export const all: readonly Backend[] = [tcp, rest, memory];

let count = 0;
/** A queue's own name, where a server is shared. */
const freshPrefix = (): string => `queue-${++count}`;

/** A server, and queues on it, each as if it were in a process of its own. */
export async function queuesOn<Event = unknown>(backend: Backend, opened: <T extends Closable>(one: T) => T) {
  const server = opened(await backend.open());
  const prefix = freshPrefix();
  const open = (options: FederationQueueOptions = {}): FederationQueue<Event> =>
    opened(new FederationQueue<Event>({ transport: server.connect() }, { prefix, ...options }));
  return { ...server, prefix, open };
}
