import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** What goes wrong between a client and its server. */
export type Fault =
  /** Nothing: bytes pass both ways. */
  | { readonly kind: "pass" }
  /** New connections are closed as soon as they are accepted. */
  | { readonly kind: "refuse" }
  /** Whatever arrives is swallowed; nothing comes back and nothing breaks. A connection that lost bytes stays lost. */
  | { readonly kind: "blackhole" }
  /**
   * One direction is swallowed, the other passes: `"replies"` means that requests take effect and nobody hears of it. A
   * side that hangs up meanwhile goes unnoticed by the other.
   */
  | { readonly kind: "half-open"; readonly lost: "requests" | "replies" }
  /** Every chunk is late, in both directions. */
  | { readonly kind: "latency"; readonly latencyMs: number }
  /** The connection breaks after so many bytes from the server; with `reset` by a reset (RST) instead of an end. */
  | { readonly kind: "cut"; readonly afterBytes: number; readonly reset?: boolean }
  /** The connection is reset (RST) as soon as the client sends something. */
  | { readonly kind: "reset" }
  /** The server's bytes arrive in chunks of so many bytes, one per turn of the event loop or every so many milliseconds. */
  | { readonly kind: "trickle"; readonly chunkBytes: number; readonly everyMs?: number }
  /** A connection is closed when nothing has come back for so long after the last reply, as proxies do. */
  | { readonly kind: "close-idle"; readonly afterMs: number };

/** A proxy that can be told to misbehave. */
export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** How many connections there are at present. */
  readonly connections: number;
  /** How many connections there were, and how many chunks the clients sent. */
  readonly seen: { readonly connections: number; readonly requestChunks: number };
  /** New connections lead to another server on this machine, as after a failover; those that stand stay where they are. */
  moveTo(port: number): void;
  /** Changes the fault, for present and new connections alike. */
  set(fault: Fault): void;
  /** Drops all present connections. */
  cut(): void;
  /**
   * Calls the listener with each chunk from a client, before it is passed on: a fault that the listener sets meets that
   * chunk already. @returns what stops it.
   */
  onRequest(listener: (chunk: Uint8Array) => void): () => void;
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
  const listeners = new Set<(chunk: Uint8Array) => void>();
  const delayed = createDelayed();
  let fault: Fault = { kind: "pass" };
  let { port } = target;

  const server = createServer({ allowHalfOpen: false }, (client) => {
    seen.connections++;
    if (fault.kind === "refuse") {
      client.destroy();
      return;
    }
    const upstream = connect({ port, host: target.host ?? host, noDelay: true });
    client.setNoDelay(true);
    clients.set(client, upstream);
    let answeredBytes = 0;
    let idle: NodeJS.Timeout | undefined;
    // TCP never goes on after a gap: neither side must see that here either.
    const lost = { requests: false, replies: false };
    const end = (): void => {
      clearTimeout(idle);
      clients.delete(client);
      client.destroy();
      upstream.destroy();
    };
    /** The second step makes it one: by itself the first would end the connection politely before. */
    const reset = (): void => {
      client.resetAndDestroy();
      end();
    };
    const hangUp = (): void => {
      if (fault.kind !== "half-open") end();
    };
    for (const socket of [client, upstream]) {
      // What went wrong is of no interest to the one who made it go wrong.
      socket.on("error", hangUp);
      socket.on("close", hangUp);
    }
    client.on("data", (chunk: Buffer) => {
      seen.requestChunks++;
      clearTimeout(idle);
      for (const listener of listeners) listener(chunk);
      lost.requests ||= swallows(fault, "requests");
      if (lost.requests) return;
      if (fault.kind === "reset") {
        reset();
      } else if (fault.kind === "latency") delayed.add(fault.latencyMs, () => upstream.write(chunk));
      else upstream.write(chunk);
    });
    upstream.on("data", (chunk: Buffer) => {
      clearTimeout(idle);
      if (fault.kind === "close-idle") idle = setTimeout(end, fault.afterMs);
      lost.replies ||= swallows(fault, "replies");
      if (lost.replies) return;
      if (fault.kind === "latency") delayed.add(fault.latencyMs, () => client.write(chunk));
      else if (fault.kind === "trickle" || backlog.has(client)) trickle(client, chunk);
      else if (fault.kind === "cut") {
        const left = Math.max(0, fault.afterBytes - answeredBytes);
        answeredBytes += chunk.length;
        if (chunk.length < left) client.write(chunk);
        else if (fault.reset) {
          // A reset on the heels of bytes is taken for a polite end by who reads them.
          client.write(chunk.subarray(0, left), () => delayed.add(20, reset));
        } else client.end(chunk.subarray(0, left), end);
      } else client.write(chunk);
    });
  });

  /** What comes later waits until the earlier is through, at the pace of the fault; without one all of it goes at once. */
  const backlog = new WeakMap<Socket, Buffer>();
  const trickle = (client: Socket, chunk: Buffer): void => {
    const waiting = backlog.get(client);
    backlog.set(client, Buffer.concat([waiting ?? Buffer.alloc(0), chunk]));
    if (waiting) return;
    const next = (): void => {
      const rest = backlog.get(client) ?? Buffer.alloc(0);
      if (rest.length === 0 || client.destroyed) {
        backlog.delete(client);
        return;
      }
      const { chunkBytes, everyMs = 0 } = fault.kind === "trickle" ? fault : { chunkBytes: rest.length };
      client.write(rest.subarray(0, chunkBytes));
      backlog.set(client, rest.subarray(chunkBytes));
      if (everyMs > 0) delayed.add(everyMs, next);
      else setImmediate(next);
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

  /** Ends the connections of which one side hung up while the other was not told. */
  const forgetHalves = (): void => {
    for (const [client, upstream] of clients) {
      if (!client.destroyed && !upstream.destroyed) continue;
      client.destroy();
      upstream.destroy();
      clients.delete(client);
    }
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
    moveTo(next) {
      port = next;
    },
    set(next) {
      fault = next;
      delayed.release();
      if (next.kind !== "half-open") forgetHalves();
    },
    cut,
    onRequest(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      delayed.drop();
      cut();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}

/** Whether a fault swallows what goes in one direction. */
const swallows = (fault: Fault, direction: "requests" | "replies"): boolean =>
  fault.kind === "blackhole" || (fault.kind === "half-open" && fault.lost === direction);

/** Work that waits. Bytes never overtake each other: all that waits is done before the fault changes. */
interface Delayed {
  add(ms: number, work: () => void): void;
  /** Does everything now, in order. */
  release(): void;
  drop(): void;
}

function createDelayed(): Delayed {
  const waiting = new Map<NodeJS.Timeout, () => void>();
  const drop = (): void => {
    for (const timer of waiting.keys()) clearTimeout(timer);
    waiting.clear();
  };
  return {
    add(ms, work) {
      const timer = setTimeout(() => {
        waiting.delete(timer);
        work();
      }, ms);
      waiting.set(timer, work);
    },
    release() {
      const works = [...waiting.values()];
      drop();
      for (const work of works) work();
    },
    drop,
  };
}
