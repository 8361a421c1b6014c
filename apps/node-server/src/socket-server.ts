import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { ServerSocket } from "@continuum-cache/pubsub/websocket";
import { WebSocketServer } from "ws";

/** The path at which pages connect. */
const socketPath = "/ws";

export interface SocketServerOptions<Context> {
  /** Whether a host name is one of this machine's. */
  readonly isHere: (hostname: string) => boolean;
  /** Finds the visitor of a request. */
  readonly identify: (headers: Headers) => Promise<Context>;
  readonly accept: (socket: ServerSocket, context: Context) => void;
  readonly maxFrameBytes: number;
}

/**
 * Accepts WebSockets at `/ws` of an HTTP server. A browser lets any site open a WebSocket to any server, with cookies:
 * so only pages of this host get one.
 */
export function serveSockets<Context>(server: Server, options: SocketServerOptions<Context>): void {
  const { isHere, identify, accept, maxFrameBytes } = options;
  const sockets = new WebSocketServer({ noServer: true, clientTracking: false, maxPayload: maxFrameBytes });
  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const refusal = refusalOf(request, isHere);
    if (refusal) return refuse(socket, refusal);
    const context = await identify(new Headers({ cookie: request.headers.cookie ?? "" }));
    sockets.handleUpgrade(request, socket, head, (accepted) => accept(accepted, context));
  };
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // The socket has no other listener until it is a WebSocket, and an unhandled error would end the process.
    const onError = (): void => void socket.destroy();
    socket.on("error", onError);
    upgrade(request, socket, head)
      .catch(() => refuse(socket, "500 Internal Server Error"))
      .finally(() => socket.off("error", onError));
  });
}

function refusalOf({ headers, url }: IncomingMessage, isHere: (hostname: string) => boolean): string | undefined {
  const host = hostOf(`http://${headers.host}`);
  if (!host || !isHere(host.hostname)) return "421 Misdirected Request";
  const path = url?.split("?", 1)[0];
  if (path !== socketPath) return "404 Not Found";
  // The scheme does not count: TLS may end in front of this server.
  const origin = hostOf(headers.origin ?? "");
  return origin?.hostname === host.hostname && portOf(origin) === portOf(host) ? undefined : "403 Forbidden";
}

const hostOf = (address: string): URL | undefined => (URL.canParse(address) ? new URL(address) : undefined);
/** A page over TLS has the port 443 when its host names none. */
const portOf = ({ port }: URL): string => (port === "443" || port === "80" ? "" : port);

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
