import { type Closable, startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import type { Command, Reply } from "@continuum-cache/core";
import type { Redis } from "ioredis";
import { Connection } from "../src/connection/connection.ts";
import { createIdleLimit } from "../src/connection/idle-check.ts";
import type { TcpClient } from "../src/tcp-client.ts";
import { promisedTrip } from "./promised-trip.ts";

type Opened = <T extends Closable>(opened: T) => T;

/** A connection as the transport makes it itself, on a client of either version. */
export async function openDirect(opened: Opened, Client: typeof Redis, behind?: string) {
  const server = opened(await startRedisServer());
  const proxy = opened(await startFaultProxy({ port: server.port }));
  const client = new Client(behind ?? `redis://127.0.0.1:${proxy.port}`, {
    lazyConnect: true,
    protocol: 2,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    disableClientInfo: true,
  });
  const connection = opened(
    new Connection({
      client: client as unknown as TcpClient,
      disconnect: () => client.disconnect(),
      reconnects: () => true,
      connectTimeoutMs: 10_000,
      idle: createIdleLimit(),
      reconnect: { isPending: false, refused() {}, accepted() {} },
      where: "here",
      secure: true,
    }),
  );
  let sent = 0;
  const sendCommand = client.sendCommand.bind(client);
  client.sendCommand = (...args) => {
    sent++;
    return sendCommand(...args);
  };
  const send = (commands: readonly Command[], atomic = false): Promise<Reply[]> => {
    const { trip, answered } = promisedTrip(commands, atomic);
    connection.send(trip);
    return answered;
  };
  await send([["PING"]]);
  return { server, proxy, client, connection, send, sentByClient: () => sent };
}
