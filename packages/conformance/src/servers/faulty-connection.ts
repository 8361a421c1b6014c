import { connect, type Socket } from "node:net";
import { createDelayedWork, type DelayedWork } from "./delayed-work.ts";

/** What goes wrong between a client and its server. */
export type Fault =
  /** Nothing: bytes pass both ways. */
  | { readonly kind: "pass" }
  /** New connections are closed as soon as they are accepted. */
  | { readonly kind: "refuse" }
  /** All bytes are dropped, and no connection breaks. A connection that has lost bytes passes no more. */
  | { readonly kind: "blackhole" }
  /**
   * The bytes of one direction are dropped, the others pass. With `"replies"`, requests take effect and no client
   * learns of it. When one side hangs up meanwhile, the other side does not notice.
   */
  | { readonly kind: "half-open"; readonly lost: "requests" | "replies" }
  /** Every chunk is late, in both directions. */
  | { readonly kind: "latency"; readonly latencyMs: number }
  /** The connection breaks after this many bytes from the server; with `reset` by a reset (RST) instead of an end. */
  | { readonly kind: "cut"; readonly afterBytes: number; readonly reset?: boolean }
  /** The connection is reset (RST) as soon as the client sends something. */
  | { readonly kind: "reset" }
  /**
   * The server's bytes arrive in chunks of this many bytes, one per turn of the event loop, or one every `everyMs`
   * milliseconds.
   */
  | { readonly kind: "trickle"; readonly chunkBytes: number; readonly everyMs?: number }
  /** A connection is closed when no bytes have come back for this long after the last reply, as proxies do. */
  | { readonly kind: "close-idle"; readonly afterMs: number };

/** The part of a proxy that its connections share. */
export interface ProxyState {
  fault: Fault;
  readonly delayed: DelayedWork;
  readonly seen: { connections: number; requestChunks: number };
  readonly listeners: Set<(chunk: Uint8Array) => void>;
  /** Each client's connection, and the connection to its server. */
  readonly connections: Map<Socket, Socket>;
}

export const createProxyState = (): ProxyState => ({
  fault: { kind: "pass" },
  delayed: createDelayedWork(),
  seen: { connections: 0, requestChunks: 0 },
  listeners: new Set(),
  connections: new Map(),
});

/** Connects a client to the server, and passes bytes as the fault of the moment says. */
export function serveFaulty(
  client: Socket,
  address: { readonly host: string; readonly port: number },
  state: ProxyState,
): void {
  const { connections, delayed, listeners, seen } = state;
  const upstream = connect({ ...address, noDelay: true });
  client.setNoDelay(true);
  connections.set(client, upstream);
  let idle: NodeJS.Timeout | undefined;
  // TCP never goes on after a gap. Once bytes of one direction were dropped, later ones are dropped too.
  const lost = { requests: false, replies: false };

  const end = (): void => {
    clearTimeout(idle);
    connections.delete(client);
    client.destroy();
    upstream.destroy();
  };
  const hangUp = (): void => {
    if (state.fault.kind !== "half-open") end();
  };
  const reply = createReplyWriter(client, state, end);

  for (const socket of [client, upstream]) {
    // Errors are expected here: the fault causes them.
    socket.on("error", hangUp);
    socket.on("close", hangUp);
  }
  client.on("data", (chunk: Buffer) => {
    seen.requestChunks++;
    clearTimeout(idle);
    for (const listener of listeners) listener(chunk);
    const { fault } = state;
    lost.requests ||= drops(fault, "requests");
    if (lost.requests) return;
    if (fault.kind === "reset") reset(client, end);
    else if (fault.kind === "latency") delayed.add(fault.latencyMs, () => upstream.write(chunk));
    else upstream.write(chunk);
  });
  upstream.on("data", (chunk: Buffer) => {
    const { fault } = state;
    clearTimeout(idle);
    if (fault.kind === "close-idle") idle = setTimeout(end, fault.afterMs);
    lost.replies ||= drops(fault, "replies");
    if (!lost.replies) reply(chunk);
  });
}

/** Whether a fault drops the bytes of one direction. */
const drops = (fault: Fault, direction: "requests" | "replies"): boolean =>
  fault.kind === "blackhole" || (fault.kind === "half-open" && fault.lost === direction);

/** `resetAndDestroy` alone would end the connection in the usual way first. The `destroy` in `end` makes it a reset. */
function reset(client: Socket, end: () => void): void {
  client.resetAndDestroy();
  end();
}

/** Writes the server's bytes to a client, as the fault of the moment says. */
function createReplyWriter(client: Socket, state: ProxyState, end: () => void): (chunk: Buffer) => void {
  const { delayed } = state;
  let answeredBytes = 0;
  /** Bytes that trickle. Later bytes wait until they are through. */
  let backlog: Buffer | undefined;

  const trickleNext = (): void => {
    const rest = backlog ?? Buffer.alloc(0);
    if (rest.length === 0 || client.destroyed) {
      backlog = undefined;
      return;
    }
    const { fault } = state;
    // When the fault has ended, all the rest is written at once.
    const { chunkBytes, everyMs = 0 } = fault.kind === "trickle" ? fault : { chunkBytes: rest.length };
    client.write(rest.subarray(0, chunkBytes));
    backlog = rest.subarray(chunkBytes);
    if (everyMs > 0) delayed.add(everyMs, trickleNext);
    else setImmediate(trickleNext);
  };

  const trickle = (chunk: Buffer): void => {
    const waiting = backlog;
    backlog = Buffer.concat([waiting ?? Buffer.alloc(0), chunk]);
    if (!waiting) trickleNext();
  };

  const cut = (chunk: Buffer, { afterBytes, reset: isReset }: Fault & { readonly kind: "cut" }): void => {
    const left = Math.max(0, afterBytes - answeredBytes);
    answeredBytes += chunk.length;
    if (chunk.length < left) client.write(chunk);
    else if (isReset) {
      // A reset right behind bytes looks like a usual end to the client that reads them.
      client.write(chunk.subarray(0, left), () => delayed.add(20, () => reset(client, end)));
    } else client.end(chunk.subarray(0, left), end);
  };

  return (chunk) => {
    const { fault } = state;
    if (fault.kind === "latency") delayed.add(fault.latencyMs, () => client.write(chunk));
    else if (fault.kind === "trickle" || backlog) trickle(chunk);
    else if (fault.kind === "cut") cut(chunk, fault);
    else client.write(chunk);
  };
}
