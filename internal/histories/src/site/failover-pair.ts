import { setTimeout as sleep } from "node:timers/promises";
import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";

/** Two servers of which one is the primary. What the primary has confirmed is never lost by a failover. */
export interface FailoverPair {
  /** The one that takes writes at present. */
  readonly primary: RedisServer;
  /**
   * Makes the other one the primary, and the present one a replica that is of no use: it refuses writes (READONLY)
   * and reads (MASTERDOWN), and closes no connection.
   */
  failOver(): Promise<void>;
  close(): Promise<void>;
}

/** A full copy must not wait for further replicas. */
const args = ["repl-diskless-sync yes", "repl-diskless-sync-delay 0"];

export async function startFailoverPair(port: () => Promise<number>): Promise<FailoverPair> {
  const start = async (): Promise<RedisServer> => startRedisServer({ port: await port(), args });
  let [primary, replica] = [await start(), await start()];
  return {
    get primary() {
      return primary;
    },
    async failOver() {
      await replica.command("CONFIG", "SET", "replica-serve-stale-data", "yes");
      await replica.command("REPLICAOF", primary.host, primary.port);
      await untilCopied(primary, replica);
      // Nothing is written until the replica has all of it and no client gets answers from the old primary any more.
      await primary.command("CLIENT", "PAUSE", 60_000, "WRITE");
      await untilCopied(primary, replica);
      await replica.command("REPLICAOF", "NO", "ONE");
      await primary.command("CONFIG", "SET", "replica-serve-stale-data", "no");
      await primary.command("REPLICAOF", primary.host, 1);
      await primary.command("CLIENT", "UNPAUSE");
      [primary, replica] = [replica, primary];
    },
    async close() {
      await Promise.all([primary.close(), replica.close()]);
    },
  };
}

async function untilCopied(primary: RedisServer, replica: RedisServer): Promise<void> {
  for (;;) {
    const copied = await replicationOf(replica);
    const written = await replicationOf(primary);
    const isLinked = copied.get("master_link_status") === "up";
    if (isLinked && copied.get("slave_repl_offset") === written.get("master_repl_offset")) return;
    await sleep(2);
  }
}

async function replicationOf(server: RedisServer): Promise<ReadonlyMap<string, string>> {
  const lines = String(await server.command("INFO", "replication")).split("\r\n");
  return new Map(lines.map((line) => line.split(":", 2) as [string, string]));
}
