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
import { SyncLog } from "../../src/log/sync-log.ts";
import type { SyncLogOptions } from "../../src/log/types.ts";
import { relay } from "../../src/relay/relay.ts";
import type { RelayEvents, RelayOptions } from "../../src/relay/types.ts";

let count = 0;

export type Way = "Redis protocol" | "REST";
export const ways: readonly Way[] = ["Redis protocol", "REST"];

/** One database, and a remote connection to it that can be cut. */
export interface Region {
  readonly redis: RedisServer;
  readonly proxy: FaultProxy;
  /** A transport of a process in the region. */
  connect(): Transport;
  /** The same for a process in another region, through the proxy. */
  reach(): Transport;
  log<Event = unknown>(instanceId: string, options?: Partial<SyncLogOptions>): SyncLog<Event>;
  length(origin: string): Promise<number>;
}

/** Two regions, and relays between them. */
export async function regionsOf(way: Way, opened: <T extends Closable>(one: T) => T, names = ["east", "west"]) {
  const key = `relay-${++count}`;
  const regions = await Promise.all(names.map(() => openRegion(way, key, opened)));
  const [east, west] = regions as [Region, Region];
  const carry = (from: Region, to: Region, options: RelayOptions = {}) => {
    const one = opened(
      relay(
        { transport: from.connect() },
        { transport: to.reach() },
        { key, pollInterval: "500ms", timeout: "1s", ...options },
      ),
    );
    const emitted: { [Name in keyof RelayEvents]: RelayEvents[Name][] } = {
      error: [],
      copied: [],
      gap: [],
      repaired: [],
    };
    one.on("error", (event) => emitted.error.push(event));
    one.on("copied", (event) => emitted.copied.push(event));
    one.on("gap", (event) => emitted.gap.push(event));
    one.on("repaired", (event) => emitted.repaired.push(event));
    return { relay: one, emitted };
  };
  return { key, east, west, regions, carry };
}

async function openRegion(way: Way, key: string, opened: <T extends Closable>(one: T) => T): Promise<Region> {
  const redis = opened(await startRedisServer());
  const gateway =
    way === "REST" ? opened(await startUpstashLocal({ port: 0, token: "test", redisUrl: redis.url })) : undefined;
  const proxy = opened(await startFaultProxy({ port: gateway ? Number(new URL(gateway.url).port) : redis.port }));
  const to = (port: number): Transport =>
    opened(
      gateway
        ? restTransport({ url: `http://127.0.0.1:${port}`, token: "test" })
        : tcpTransport({ url: `redis://127.0.0.1:${port}` }),
    );
  const region: Region = {
    redis,
    proxy,
    connect: () => to(gateway ? Number(new URL(gateway.url).port) : redis.port),
    reach: () => to(proxy.port),
    log: (instanceId, options = {}) =>
      opened(new SyncLog({ transport: region.connect() }, { instanceId, key, pollInterval: "500ms", ...options })),
    async length(origin) {
      return Number(await redis.command("XLEN", `${key}:${origin}`));
    },
  };
  return region;
}
