import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** One address, behind which the server can change, and from which requests can reach it twice. */
export interface Switchboard {
  readonly port: number;
  /** Leads all clients to another server; all connections end. */
  moveTo(port: number): void;
  /**
   * While it is on, all that a client sends goes to the server once more a moment later, over a connection of its own
   * whose replies are dropped. Connections end when it begins: requests are repeated from the first on.
   */
  repeat(isOn: boolean): void;
  close(): Promise<void>;
}

const host = "127.0.0.1";
const repeatAfterMs = 3;

export async function startSwitchboard(target: number): Promise<Switchboard> {
  let port = target;
  let isRepeating = false;
  const sockets = new Set<Socket>();
  const echoes = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();

  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port, host, noDelay: true });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      // The other end sees it as the end of its connection.
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
    if (isRepeating) echo(client);
  });

  const echo = (client: Socket): void => {
    const again = connect({ port, host, noDelay: true });
    echoes.add(again);
    again.resume();
    // No client waits for its replies, so its end is no news.
    again.on("error", () => again.destroy());
    again.on("close", () => echoes.delete(again));
    client.on("data", (chunk: Buffer) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        if (!again.destroyed) again.write(chunk);
      }, repeatAfterMs);
      timers.add(timer);
    });
    client.on("close", () => {
      // What it sent last is repeated too.
      const timer = setTimeout(() => {
        timers.delete(timer);
        again.destroy();
      }, 10 * repeatAfterMs);
      timers.add(timer);
    });
  };
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };

  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a TCP address");
  return {
    port: address.port,
    moveTo(next) {
      port = next;
      cut();
    },
    repeat(isOn) {
      isRepeating = isOn;
      if (isOn) cut();
      else for (const again of echoes) again.destroy();
    },
    async close() {
      for (const timer of timers) clearTimeout(timer);
      for (const again of echoes) again.destroy();
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
