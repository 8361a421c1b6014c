import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import type { FaultRecord } from "../checking/records.ts";
import { untilSeen } from "../fleet/patience.ts";

/**
 * What a server has after it was killed. `always`: all that it acknowledged. `everysec` and `torn`: perhaps not what
 * it wrote last; of `torn` the end of the AOF is cut off. `none`: nothing. `failover`: a replica that lags behind
 * takes its place.
 */
export type Durability = "always" | "everysec" | "torn" | "none" | "failover";

/** What a fault made the server forget. */
type Forgotten = Partial<Pick<FaultRecord, "forgets" | "forgetsFromMs">>;

/** The server of a history, and the replica that may take its place. */
export interface Servers {
  /** The one that answers now. */
  readonly primary: RedisServer;
  /** Kills it and starts it again, with less than it had acknowledged where its durability says so. */
  restart(awayMs: number): Promise<Forgotten>;
  /**
   * Cuts the replica off for a while, kills the primary, and lets the replica take its place; the killed one becomes
   * its replica. Resolves to undefined when the replica does not get ready: then nothing has happened.
   */
  failOver(lagMs: number): Promise<Forgotten | undefined>;
  close(): Promise<void>;
}

/** What a server has forgotten may be as old as the run. */
const forgottenBy: Readonly<Record<Durability, Forgotten>> = {
  always: {},
  everysec: { forgets: "tail", forgetsFromMs: 0 },
  torn: { forgets: "tail", forgetsFromMs: 0 },
  none: { forgets: "everything", forgetsFromMs: 0 },
  failover: { forgets: "everything", forgetsFromMs: 0 },
};

/**
 * @param args - Further settings of the server.
 * @param onMoved - Is called with the port of the server that answers from now on.
 */
export async function startServers(
  durability: Durability,
  args: readonly string[],
  onMoved: (port: number) => void,
): Promise<Servers> {
  const isLazy = durability === "everysec" || durability === "torn";
  const start = () =>
    startRedisServer({
      appendonly: durability !== "failover" && durability !== "none",
      args: [...args, ...(isLazy ? ["appendfsync everysec"] : [])],
    });
  const all = durability === "failover" ? [await start(), await start()] : [await start()];
  // The proxies through which each is copied.
  const links = new Map<RedisServer, FaultProxy>();
  for (const one of all) links.set(one, await startFaultProxy({ port: one.port }));
  let [primary, replica] = all as [RedisServer, RedisServer | undefined];

  const copy = async (from: RedisServer, to: RedisServer): Promise<void> => {
    await to.command("REPLICAOF", "127.0.0.1", links.get(from)?.port ?? 0);
  };
  if (replica) await copy(primary, replica);
  const aof = durability === "torn" ? await aofFolderOf(primary) : undefined;
  const isReady = (one: RedisServer): Promise<boolean> =>
    untilSeen(
      async () => String(await one.command("INFO", "replication")).includes("master_link_status:up"),
      (isUp) => isUp,
      { withoutProgressMs: 5_000 },
    );

  return {
    get primary() {
      return primary;
    },
    async restart(awayMs) {
      await primary.kill();
      if (aof !== undefined) await tearAof(aof);
      await sleep(awayMs);
      await primary.restart();
      return forgottenBy[durability];
    },
    async failOver(lagMs) {
      const next = replica;
      if (!next || !(await isReady(next))) return undefined;
      const link = links.get(primary);
      link?.set({ kind: "blackhole" });
      const forgetsFromMs = Date.now();
      await sleep(lagMs);
      await primary.kill();
      await next.command("REPLICAOF", "NO", "ONE");
      link?.set({ kind: "pass" });
      link?.cut();
      const former = primary;
      [primary, replica] = [next, former];
      onMoved(primary.port);
      await former.restart();
      await copy(primary, former);
      return { forgets: "tail", forgetsFromMs };
    },
    async close() {
      primary.thaw();
      for (const link of links.values()) await link.close();
      for (const one of all) await one.close();
    },
  };
}

/** Where a server keeps its AOF. To be asked before it is killed. */
async function aofFolderOf(redis: RedisServer): Promise<string> {
  const [[, dir = ""], [, sub = ""]] = (await Promise.all([
    redis.command("CONFIG", "GET", "dir"),
    redis.command("CONFIG", "GET", "appenddirname"),
  ])) as [string[], string[]];
  return join(dir, sub);
}

/** Cuts off the end of what a killed server has written, as a machine does that loses its power. */
async function tearAof(folder: string): Promise<void> {
  const [name] = (await readdir(folder)).filter((file) => file.endsWith(".incr.aof"));
  if (name === undefined) return;
  const path = join(folder, name);
  const { size } = await stat(path);
  const file = await open(path, "r+");
  await file.truncate(Math.max(0, size - Math.min(20_000, Math.floor(size / 4))));
  await file.close();
}
