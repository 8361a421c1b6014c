import { type FaultProxy, startFaultProxy } from "@continuum-cache/conformance/servers";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import type { Door, Durability, Way } from "../faults/fault-plan.ts";
import { type Servers, startServers } from "./servers.ts";
import { type Switchboard, startSwitchboard } from "./switchboard.ts";

/** Where a process finds the server. */
export interface Address {
  readonly url: string;
  readonly rest?: { readonly url: string; readonly token: string };
}

/** A server, and two ways to it, all of which can be hurt. */
export interface Site {
  readonly servers: Servers;
  readonly switchboard: Switchboard;
  readonly doors: Readonly<Record<Door, { readonly proxy: FaultProxy; readonly address: Address }>>;
  /** Past what can be hurt by itself. */
  readonly direct: Address;
  readonly gateway: UpstashLocal | undefined;
  close(): Promise<void>;
}

const token = "bench";

export async function openSite(way: Way, durability: Durability): Promise<Site> {
  const servers = await startServers(durability, (port) => switchboard.moveTo(port));
  const switchboard = await startSwitchboard(servers.primary.port);
  const redisUrl = `redis://127.0.0.1:${switchboard.port}`;
  const gateway =
    way === "rest" ? await startUpstashLocal({ port: 0, token, redisUrl, timeout: "2s", heartbeat: "1s" }) : undefined;
  const target = { port: gateway?.port ?? switchboard.port };
  const addressAt = (port: number): Address => ({
    url: `redis://127.0.0.1:${port}`,
    ...(gateway && { rest: { url: `http://127.0.0.1:${port}`, token } }),
  });
  const openDoor = async () => {
    const proxy = await startFaultProxy(target);
    return { proxy, address: addressAt(proxy.port) };
  };
  const doors = { a: await openDoor(), b: await openDoor() };
  return {
    servers,
    switchboard,
    doors,
    direct: addressAt(target.port),
    gateway,
    async close() {
      for (const { proxy } of Object.values(doors)) await proxy.close();
      await gateway?.close();
      await switchboard.close();
      await servers.close();
    },
  };
}
