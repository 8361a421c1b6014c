import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { createProxyState, type Fault, serveFaulty } from "./faulty-connection.ts";

/** A proxy that can be told to misbehave. */
export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** How many connections are open. */
  readonly connections: number;
  /** How many connections there were, and how many chunks the clients sent. */
  readonly seen: { readonly connections: number; readonly requestChunks: number };
  /** Leads new connections to another server on this machine, as after a failover. Open connections stay. */
  moveTo(port: number): void;
  /** Changes the fault, for open and new connections alike. */
  set(fault: Fault): void;
  /** Drops all open connections. */
  cut(): void;
  /**
   * Calls the listener with each chunk from a client, before the chunk is passed on. A fault that the listener sets
   * applies to that chunk already. @returns the function that stops listening.
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
  const state = createProxyState();
  const { connections, delayed, listeners, seen } = state;
  let { port } = target;

  const server = createServer({ allowHalfOpen: false }, (client) => {
    seen.connections++;
    if (state.fault.kind === "refuse") client.destroy();
    else serveFaulty(client, { port, host: target.host ?? host }, state);
  });

  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a TCP address");
  return {
    host,
    port: address.port,
    get connections() {
      return connections.size;
    },
    seen,
    moveTo(next) {
      port = next;
    },
    set(next) {
      state.fault = next;
      delayed.release();
      if (next.kind !== "half-open") dropHalfOpen(connections);
    },
    cut: () => dropAll(connections),
    onRequest(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      delayed.drop();
      dropAll(connections);
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}

function dropAll(connections: Map<Socket, Socket>): void {
  for (const [client, upstream] of connections) {
    client.destroy();
    upstream.destroy();
  }
  connections.clear();
}

/** Drops the connections of which one side hung up while the other did not notice. */
function dropHalfOpen(connections: Map<Socket, Socket>): void {
  for (const [client, upstream] of connections) {
    if (!client.destroyed && !upstream.destroyed) continue;
    client.destroy();
    upstream.destroy();
    connections.delete(client);
  }
}
