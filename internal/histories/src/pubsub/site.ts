import {
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { type StreamProxy, startStreamProxy } from "../site/stream-proxy.ts";
import { aofFolderOf, tearAof } from "../site/torn-aof.ts";
import type { Address } from "./clients/contender.ts";
import type { Durability, Way } from "./plan.ts";

/** A server, and the ways to it, all of which can be hurt. */
export interface Site {
  readonly redis: RedisServer;
  readonly publishers: { readonly address: Address; readonly proxy: FaultProxy };
  readonly subscribers: { readonly address: Address; readonly proxy: FaultProxy };
  /** Past all proxies: what is not taken piles up at the server. */
  readonly direct: Address;
  readonly rest: { readonly gateway: UpstashLocal; readonly streams: StreamProxy } | undefined;
  /** Lets a killed server come back with less than it had acknowledged, where the plan says so. */
  tearHistory(): Promise<void>;
  close(): Promise<void>;
}

/** Small nodes make trims nearly exact; a small output buffer is soon full. */
const settings = ["stream-node-max-entries 10", "client-output-buffer-limit pubsub 1mb 512kb 1"];
const token = "bench";

export async function openSite(way: Way, durability: Durability): Promise<Site> {
  const redis = await startRedisServer({
    appendonly: durability !== "none",
    args: [...settings, ...(durability === "everysec" ? ["appendfsync everysec"] : [])],
  });
  const gateway =
    way === "rest"
      ? await startUpstashLocal({ port: 0, token, redisUrl: redis.url, timeout: "2s", heartbeat: "1s" })
      : undefined;
  const target = { port: gateway?.port ?? redis.port };
  const proxies = { publishers: await startFaultProxy(target), subscribers: await startFaultProxy(target) };
  const streams = gateway && (await startStreamProxy(proxies.subscribers.port));
  const addressAt = (port: number, restUrl: string): Address => ({
    url: `redis://127.0.0.1:${port}`,
    rest: gateway && { url: restUrl, token },
  });
  const to = ({ port }: FaultProxy): Address => addressAt(port, `http://127.0.0.1:${port}`);
  const aof = durability === "torn" ? await aofFolderOf(redis) : undefined;

  return {
    redis,
    publishers: { address: to(proxies.publishers), proxy: proxies.publishers },
    subscribers: {
      address: streams ? addressAt(proxies.subscribers.port, streams.url) : to(proxies.subscribers),
      proxy: proxies.subscribers,
    },
    direct: addressAt(redis.port, gateway?.url ?? ""),
    rest: gateway && streams && { gateway, streams },
    async tearHistory() {
      if (aof !== undefined) await tearAof(aof);
    },
    async close() {
      redis.thaw();
      await streams?.close();
      await proxies.publishers.close();
      await proxies.subscribers.close();
      await gateway?.close();
      await redis.close();
    },
  };
}
