import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** One address that leads to different servers as time goes by, as that of a managed Redis does. */
export interface MovingAddress {
  readonly port: number;
  /** How many connections were made. */
  readonly made: number;
  /** New connections lead there from now on; those that stand stay where they are. */
  moveTo(port: number): void;
  /** Closes connections that nobody has used for so long, as a proxy does; after `undefined` none. */
  closeIdle(afterMs: number | undefined): void;
  close(): Promise<void>;
}

export async function startMovingAddress(port: number): Promise<MovingAddress> {
  let target = port;
  let made = 0;
  let idleMs: number | undefined;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    made++;
    const upstream = connect(target, "127.0.0.1");
    let timer: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearTimeout(timer);
      client.destroy();
      upstream.destroy();
      sockets.delete(client);
    };
    const touch = (): void => {
      clearTimeout(timer);
      if (idleMs !== undefined) timer = setTimeout(end, idleMs);
    };
    sockets.add(client);
    for (const socket of [client, upstream]) socket.setNoDelay(true).on("error", end).on("close", end);
    client.on("data", (chunk) => {
      clearTimeout(timer);
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      client.write(chunk);
      touch();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a TCP address");
  return {
    port: address.port,
    get made() {
      return made;
    },
    moveTo(next) {
      target = next;
    },
    closeIdle(afterMs) {
      idleMs = afterMs;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}
