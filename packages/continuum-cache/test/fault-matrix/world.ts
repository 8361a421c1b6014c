import {
  type FaultProxy,
  type RedisServer,
  type RedisServerOptions,
  startFaultProxy,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import type { Cache, Transport } from "@continuum-cache/core";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import type { Backend, CacheSettings } from "./backends.ts";
import { type GatewayProcess, startGatewayProcess } from "./gateway-process.ts";

/** Where something goes wrong: on the way to the server, or in it. */
export type Place = "network" | "server" | "gateway" | "redis";

/** The servers of one row of the matrix, used by no other row, and the means to break them. */
export interface World {
  readonly redis: RedisServer;
  /** Asks Redis itself, past everything that is being hurt. */
  readonly admin: Transport;
  /** Between the caches and their server, in rows about the network. */
  readonly proxy: FaultProxy;
  /** In front of Redis, for REST. */
  readonly gateway: GatewayProcess;
  /** What the caches talk to, to be killed and frozen: Redis or the gateway. */
  readonly server: Pick<RedisServer, "kill" | "restart" | "freeze" | "thaw">;
  makeCache(settings: CacheSettings): Cache;
  /** How many connections the caches hold. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** Stands for a part that a row has no use for. */
function absent<Part extends object>(name: string): Part {
  return new Proxy({} as Part, {
    get() {
      throw new Error(`This row of the matrix has no ${name}`);
    },
  });
}

/** Starts what one row needs. The data outlive a kill: what comes back from the dead has to come from somewhere. */
export async function startWorld(backend: Backend, place: Place, options: RedisServerOptions = {}): Promise<World> {
  const redis = await startRedisServer({ ...options, tls: backend.tls, appendonly: options.appendonly ?? true });
  // One connection, so that what the caches hold can be counted beside it.
  const admin = tcpTransport({ url: redis.url, poolSize: 1, ...(redis.ca !== undefined && { tls: { ca: redis.ca } }) });
  const closers: (() => Promise<void>)[] = [() => redis.close(), () => admin.close()];
  let gateway = absent<GatewayProcess>("gateway");
  let proxy = absent<FaultProxy>("proxy");
  let server: World["server"] = redis;
  let url = redis.url;

  if (backend.name === "REST") {
    gateway = await startGatewayProcess(redis.url);
    closers.push(() => gateway.close());
    [server, url] = [gateway, gateway.url];
  }
  if (place === "network") {
    proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    closers.push(() => proxy.close());
    url = url.replace(/:\d+$/, `:${proxy.port}`);
  }

  return {
    redis,
    admin,
    proxy,
    gateway,
    server,
    makeCache: (settings) => backend.makeCache(url, redis.ca, settings),
    async connections() {
      if (place === "network") return proxy.connections;
      if (backend.name === "REST") return 0;
      const [list] = await admin.send([["CLIENT", "LIST", "TYPE", "normal"]]);
      // The one that asks does not count.
      return String(list).trim().split("\n").length - 1;
    },
    async close() {
      for (const close of closers.reverse()) await close();
    },
  };
}
