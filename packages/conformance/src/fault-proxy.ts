import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** What goes wrong between a client and its server. All but `latencyMs` and `trickle` concern what the server sends too. */
export type Fault =
  /** Nothing: bytes pass both ways. */
  | { readonly kind: "pass" }
  /** New connections are closed as soon as they are accepted. */
  | { readonly kind: "refuse" }
  /** Whatever arrives is swallowed; nothing comes back and nothing breaks. A connection that lost bytes stays lost. */
  | { readonly kind: "blackhole" }
  /** Every chunk is late, in both directions. */
  | { readonly kind: "latency"; readonly latencyMs: number }
  /** The connection breaks after so many bytes from the server. */
  | { readonly kind: "cut"; readonly afterBytes: number }
  /** The connection is reset (RST) as soon as the client sends something. */
  | { readonly kind: "reset" }
  /** The server's bytes arrive in chunks of so many bytes. */
  | { readonly kind: "trickle"; readonly chunkBytes: number };

/** A proxy that can be told to misbehave. */
export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** How many connections there are at present. */
  readonly connections: number;
  /** How many connections there were, and how many chunks the clients sent. */
  readonly seen: { readonly connections: number; readonly requestChunks: number };
  /** Changes the fault, for present and new connections alike. */
  set(fault: Fault): void;
  /** Drops all present connections. */
  cut(): void;
  close(): Promise<void>;
}

/**
 * Starts a proxy on the loopback interface in front of a server.
 *
 * @example
 * ```ts
 * import { startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
 *
 * const server = await startRedisServer();
 * const proxy = await startFaultProxy({ port: server.port });
 * proxy.set({ kind: "latency", latencyMs: 50 });
 * await proxy.close();
 * await server.close();
 * ```
 */
export async function startFaultProxy(target: { readonly port: number; readonly host?: string }): Promise<FaultProxy> {
  const host = "127.0.0.1";
  const clients = new Map<Socket, Socket>();
  const seen = { connections: 0, requestChunks: 0 };
  const timers = new Set<NodeJS.Timeout>();
  let fault: Fault = { kind: "pass" };

  const later = (ms: number, work: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms);
    timers.add(timer);
  };

  const server = createServer({ allowHalfOpen: false }, (client) => {
    seen.connections++;
    if (fault.kind === "refuse") {
      client.destroy();
      return;
    }
    const upstream = connect({ port: target.port, host: target.host ?? host, noDelay: true });
    client.setNoDelay(true);
    clients.set(client, upstream);
    let answeredBytes = 0;
    // TCP never goes on after a gap: a client must not see that here either.
    let lost = false;
    const end = (): void => {
      clients.delete(client);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      // What went wrong is of no interest to the one who made it go wrong.
      socket.on("error", end);
      socket.on("close", end);
    }
    client.on("data", (chunk: Buffer) => {
      seen.requestChunks++;
      lost ||= fault.kind === "blackhole";
      if (lost) return;
      if (fault.kind === "reset") {
        client.resetAndDestroy();
        end();
      } else if (fault.kind === "latency") later(fault.latencyMs, () => upstream.write(chunk));
      else upstream.write(chunk);
    });
    upstream.on("data", (chunk: Buffer) => {
      lost ||= fault.kind === "blackhole";
      if (lost) return;
      if (fault.kind === "latency") later(fault.latencyMs, () => client.write(chunk));
      else if (fault.kind === "trickle") trickle(client, chunk, fault.chunkBytes);
      else if (fault.kind === "cut") {
        const left = Math.max(0, fault.afterBytes - answeredBytes);
        answeredBytes += chunk.length;
        if (chunk.length < left) client.write(chunk);
        else client.end(chunk.subarray(0, left), end);
      } else client.write(chunk);
    });
  });

  /** One chunk per turn of the event loop; what comes later waits until the earlier is through. */
  const backlog = new WeakMap<Socket, Buffer>();
  const trickle = (client: Socket, chunk: Buffer, chunkBytes: number): void => {
    const waiting = backlog.get(client);
    backlog.set(client, Buffer.concat([waiting ?? Buffer.alloc(0), chunk]));
    if (waiting) return;
    const next = (): void => {
      const rest = backlog.get(client) ?? Buffer.alloc(0);
      if (rest.length === 0 || client.destroyed) {
        backlog.delete(client);
        return;
      }
      client.write(rest.subarray(0, chunkBytes));
      backlog.set(client, rest.subarray(chunkBytes));
      setImmediate(next);
    };
    next();
  };

  const cut = (): void => {
    for (const [client, upstream] of clients) {
      client.destroy();
      upstream.destroy();
    }
    clients.clear();
  };

  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a TCP address");
  return {
    host,
    port: address.port,
    get connections() {
      return clients.size;
    },
    seen,
    set(next) {
      fault = next;
    },
    cut,
    async close() {
      for (const timer of timers) clearTimeout(timer);
      cut();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}
