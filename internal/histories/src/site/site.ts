import { type FaultProxy, startFaultProxy } from "@continuum-cache/conformance/servers";
import type { UpstashLocal } from "@continuum-cache/upstash-local";
import { type Address, addressAt, startGateway, type Way } from "./address.ts";
import { type Durability, type Servers, startServers } from "./servers.ts";
import { type StreamProxy, startStreamProxy } from "./stream-proxy.ts";
import { type Switchboard, startSwitchboard } from "./switchboard.ts";

/** The two ways to the server, each of which can be hurt by itself. */
export type Door = "a" | "b";

/** A server, and two ways to it, all of which can be hurt. */
export interface Site {
  readonly servers: Servers;
  readonly switchboard: Switchboard;
  readonly doors: Readonly<Record<Door, { readonly proxy: FaultProxy; readonly address: Address }>>;
  /** Past both doors. */
  readonly direct: Address;
  readonly gateway: UpstashLocal | undefined;
  /** In front of door b over REST, where streams are to be hurt. */
  readonly streams: StreamProxy | undefined;
  close(): Promise<void>;
}

export interface SiteOptions {
  readonly way: Way;
  readonly durability: Durability;
  /** Further settings of the server. */
  readonly args?: readonly string[];
  readonly hasStreams?: boolean;
}

export async function openSite({ way, durability, args = [], hasStreams = false }: SiteOptions): Promise<Site> {
  const servers = await startServers(durability, args, (port) => switchboard.moveTo(port));
  const switchboard = await startSwitchboard(servers.primary.port);
  const redisUrl = `redis://127.0.0.1:${switchboard.port}`;
  const gateway = await startGateway(way, redisUrl, { timeout: "2s", heartbeat: "1s" });
  const target = { port: gateway?.port ?? switchboard.port };
  const [a, b] = [await startFaultProxy(target), await startFaultProxy(target)];
  const streams = gateway && hasStreams ? await startStreamProxy(b.port) : undefined;
  return {
    servers,
    switchboard,
    doors: {
      a: { proxy: a, address: addressAt(way, a.port) },
      b: { proxy: b, address: addressAt(way, b.port, streams?.port) },
    },
    // A failover leads the switchboard elsewhere; otherwise what a client does not read piles up at the server itself.
    direct: addressAt(way, gateway || durability === "failover" ? target.port : servers.primary.port),
    gateway,
    streams,
    async close() {
      await streams?.close();
      await a.close();
      await b.close();
      await gateway?.close();
      await switchboard.close();
      await servers.close();
    },
  };
}
