import { setTimeout as sleep } from "node:timers/promises";
import {
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import type { Durability } from "../faults/fault-plan.ts";
import { aofFolderOf, tearAof } from "./torn-aof.ts";

/** The server of a run, and the replica that may take its place. */
export interface Servers {
  /** The one that answers now. */
  readonly primary: RedisServer;
  /** Kills it and starts it again, with less than it had acknowledged where the plan says so. */
  restart(awayMs: number): Promise<void>;
  /**
   * Cuts the replica off for a while, kills the primary, and lets the replica take its place; the killed one becomes its
   * replica. Tells since when what was acknowledged is lost, or undefined when the replica was not ready: nothing happened.
   */
  failOver(lagMs: number): Promise<number | undefined>;
  close(): Promise<void>;
}

/** @param onMoved - Told the port of the server that answers from now on. */
export async function startServers(durability: Durability, onMoved: (port: number) => void): Promise<Servers> {
  const start = () =>
    startRedisServer({
      appendonly: durability !== "failover",
      args: durability === "everysec" ? ["appendfsync everysec"] : [],
    });
  const all = durability === "failover" ? [await start(), await start()] : [await start()];
  // Through which the others copy from each of them.
  const links = new Map<RedisServer, FaultProxy>();
  for (const one of all) links.set(one, await startFaultProxy({ port: one.port }));
  let [primary, replica] = all as [RedisServer, RedisServer | undefined];

  const copy = async (from: RedisServer, to: RedisServer): Promise<void> => {
    await to.command("REPLICAOF", "127.0.0.1", links.get(from)?.port ?? 0);
  };
  if (replica) await copy(primary, replica);
  const aof = durability === "everysec" ? await aofFolderOf(primary) : undefined;
  const isReady = async (one: RedisServer): Promise<boolean> => {
    const endsMs = performance.now() + 5_000;
    while (performance.now() < endsMs) {
      if (String(await one.command("INFO", "replication")).includes("master_link_status:up")) return true;
      await sleep(20);
    }
    return false;
  };

  return {
    get primary() {
      return primary;
    },
    async restart(awayMs) {
      await primary.kill();
      if (aof !== undefined) await tearAof(aof);
      await sleep(awayMs);
      await primary.restart();
    },
    async failOver(lagMs) {
      const next = replica;
      if (!next || !(await isReady(next))) return undefined;
      const link = links.get(primary);
      link?.set({ kind: "blackhole" });
      const fromMs = Date.now();
      await sleep(lagMs);
      await primary.kill();
      await next.command("REPLICAOF", "NO", "ONE");
      link?.set({ kind: "pass" });
      link?.cut();
      const former = primary;
      primary = next;
      replica = former;
      onMoved(primary.port);
      await former.restart();
      await copy(primary, former);
      return fromMs;
    },
    async close() {
      primary.thaw();
      for (const link of links.values()) await link.close();
      for (const one of all) await one.close();
    },
  };
}
