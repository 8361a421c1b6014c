import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { type Closable, startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import type { Transport } from "@continuum-cache/core";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { expect, vi } from "vitest";

const patiently = { timeout: 60_000, interval: 20 };

export const ways = ["Redis protocol", "REST"] as const;

/** One address, behind which servers can change. */
async function startAddress(target: number) {
  let port = target;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect({ port, host: "127.0.0.1", noDelay: true });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a TCP address");
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `redis://127.0.0.1:${address.port}`,
    moveTo(next: number) {
      port = next;
      cut();
    },
    async close() {
      cut();
      server.close();
    },
  };
}

/** A primary at an address, and a replica that can be made to lag behind and then to take its place. */
export async function startLaggingReplica(opened: <T extends Closable>(one: T) => T) {
  const primary = opened(await startRedisServer());
  const link = opened(await startFaultProxy({ port: primary.port }));
  const replica = opened(await startRedisServer({ args: [`replicaof 127.0.0.1 ${link.port}`] }));
  const address = opened(await startAddress(primary.port));
  const isCaughtUp = async (): Promise<void> => {
    const [here, there] = await Promise.all([primary, replica].map((one) => one.command("INFO", "replication")));
    expect(String(there)).toContain("master_link_status:up");
    const offsetIn = (info: unknown) => /^(?:master_repl_offset|slave_repl_offset):(\d+)/m.exec(String(info))?.[1];
    expect(offsetIn(there)).toBe(/^master_repl_offset:(\d+)/m.exec(String(here))?.[1]);
  };
  return {
    replica,
    async connect(way: (typeof ways)[number]): Promise<Transport> {
      if (way === "Redis protocol") return opened(tcpTransport({ url: address.url }));
      const gateway = opened(await startUpstashLocal({ port: 0, token: "test", redisUrl: address.url }));
      return opened(restTransport({ url: gateway.url, token: "test" }));
    },
    caughtUp: () => vi.waitFor(isCaughtUp, patiently),
    /** From now on the replica gets nothing. */
    lag: () => link.set({ kind: "blackhole" }),
    async failOver() {
      await primary.kill();
      await replica.command("REPLICAOF", "NO", "ONE");
      address.moveTo(replica.port);
    },
  };
}
