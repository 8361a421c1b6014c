import type { OnReadOpts, Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { isTransportError } from "@continuum-cache/core";
import { LostRequest } from "./http-errors.ts";
import type { Opening, PendingRequest } from "./node/connection.ts";
import { type ConnectionPool, createConnectionPool } from "./node/connection-pool.ts";
import { streamRequest } from "./node/node-stream.ts";
import { type PostingClient, type PostRequest, sendPost } from "./posts.ts";

/**
 * How requests leave on Node by default: HTTP/1.1 on sockets that are kept open, written and read here. It takes a
 * third of the processor time of node:http for one call at a time. Streams leave through node:http(s), each on a
 * connection of its own. Idle connections don't keep the process alive.
 *
 * A connection that the server closes while it is idle costs no call: a request that may run twice, or was surely not
 * sent, is sent again on another connection, and any other takes no connection that the server may be about to close.
 */
export function defaultHttp(): PostingClient {
  const servers = new Map<string, Server>();

  const serverAt = (origin: string): Server => {
    const known = servers.get(origin);
    if (known) return known;
    const { host, opening } = addressOf(new URL(origin));
    const server: Server = { host, pool: createConnectionPool(opening) };
    servers.set(origin, server);
    return server;
  };

  return {
    request: streamRequest,
    [sendPost]: (request) =>
      new Promise((resolve, reject) => {
        const slash = request.url.indexOf("/", "https://".length);
        const origin = slash < 0 ? request.url : request.url.slice(0, slash);
        const { host, pool } = serverAt(origin);
        const isRepeatable = (): boolean => request.isRepeatable();
        const bodyBytes = typeof request.body === "string" ? Buffer.byteLength(request.body) : request.body.length;
        const pending: PendingRequest = {
          head: headOf(request, host, slash < 0 ? "/" : request.url.slice(slash), bodyBytes),
          body: request.body,
          bodyBytes,
          maxBodyBytes: request.maxBodyBytes,
          startWaiting: (answersCame) => request.call.startWaiting(answersCame),
          markSent: () => request.call.markSent(),
          succeed: resolve,
          fail({ unsent, stale, cause }) {
            if (stale && (unsent || isRepeatable())) pool.send(pending, isRepeatable);
            else reject(new LostRequest({ unsent, cause }));
          },
        };
        request.call.onEnd((reason) => {
          pool.cancel(pending);
          if (isTransportError(reason) && reason.kind === "timeout") pool.closeIdle();
          reject(reason);
        });
        pool.send(pending, isRepeatable);
      }),
    close() {
      for (const { pool } of servers.values()) pool.close();
      servers.clear();
    },
  };
}

interface Server {
  /** As the `host` header names it. */
  readonly host: string;
  readonly pool: ConnectionPool;
}

/** What a header or a path can't hold: it would be read as something else. */
const unsafeInHeader = /[^\t\x20-\x7e]/;
const unsafeInPath = /[^\x21-\x7e]/;

/** @throws TypeError when a part can't travel in a head. */
function headOf({ headers }: PostRequest, host: string, path: string, bodyBytes: number): string {
  if (unsafeInPath.test(path)) throw new TypeError("Expected a path of printable ASCII characters");
  let head = `POST ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\ncontent-length: ${bodyBytes}\r\n`;
  for (const name in headers) {
    const value = headers[name] ?? "";
    if (unsafeInHeader.test(value)) throw new TypeError(`Expected printable ASCII characters in the header ${name}`);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}

/** Where a server is, and how a connection to it is opened. */
function addressOf({ protocol, hostname, host, port }: URL): { readonly host: string; readonly opening: Opening } {
  const name = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  const isSecure = protocol === "https:";
  const target = {
    host: name,
    port: Number(port || (isSecure ? 443 : 80)),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 1_000,
  };
  // Loaded with the first connection that needs it: sockets are a third of what the import costs, TLS half of a cold
  // start.
  if (!isSecure) {
    const open = (onread: OnReadOpts): Socket => process.getBuiltinModule("node:net").connect({ ...target, onread });
    return { host, opening: { ready: "connect", open } };
  }
  let session: Buffer | undefined;
  return {
    host,
    opening: {
      ready: "secureConnect",
      open(onread) {
        const { connect } = process.getBuiltinModule("node:tls");
        const { isIP } = process.getBuiltinModule("node:net");
        const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
          ...target,
          onread,
          servername: isIP(name) ? "" : name,
          ALPNProtocols: ["http/1.1"],
          ...(session && { session }),
        };
        const socket = connect(options);
        // A later connection goes on with this one's session, and saves a part of the handshake.
        socket.on("session", (newest) => {
          session = newest;
        });
        socket.once("error", () => {
          session = undefined;
        });
        return socket;
      },
    },
  };
}
