import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RequestFacts } from "@continuum-cache/program";
import { createAdaptorServer } from "@hono/node-server";
import { requestFacts } from "./request-facts.ts";

/** A program that listens for HTTP. */
export interface Listening {
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** Stops accepting requests, lets in-flight requests finish for a while, and releases the port. */
  close(): Promise<void>;
}

type Program = (request: Request, facts: RequestFacts) => Response | Promise<Response>;

/** A service on connections that stay open, such as WebSockets. */
export interface Connections {
  /** Accepts the connections. @param isHere - Whether a host name is one of this machine's. */
  serve(server: Server, isHere: (hostname: string) => boolean): void;
  /** Ends the connections; the server can't close before. */
  dismiss(): Promise<void>;
}

/** Where to listen, and for which host names. */
export interface Address {
  readonly port: number;
  /** The address of this machine to listen at: "0.0.0.0" is all of them. @default "127.0.0.1" */
  readonly host?: string;
  /** The host names that it answers to, besides 127.0.0.1 and localhost. @default none */
  readonly names?: readonly string[];
  /**
   * How many of your proxies stand in front. What they write into X-Forwarded-For and X-Forwarded-Proto is then the
   * address of the visitor, and whether it uses TLS. No visitor may get past them. @default 0: the connection decides
   */
  readonly trustedProxies?: number;
}

/** Time limits for slow clients, in milliseconds. */
export interface Patience {
  /** From the connection to the end of a request's headers. */
  readonly headersMs: number;
  /** To the end of its body. */
  readonly requestMs: number;
  /** Without a byte in either direction. */
  readonly silenceMs: number;
}

const defaultPatience: Patience = { headersMs: 10_000, requestMs: 30_000, silenceMs: 60_000 };

/** This machine's own address: no other can connect to it. */
export const loopback = "127.0.0.1";

/** Whether only this machine can connect to the address. */
export const isLoopback = (host: string): boolean => host === "::1" || host.startsWith("127.");

/** How long in-flight requests may still take when the server closes. */
const closingGraceMs = 5_000;

/**
 * Listens at the address. When only this machine can connect and the port is taken, it listens on a free port.
 *
 * @throws the error of the operating system when it can't listen.
 */
export async function listen(
  program: Program,
  address: Address,
  connections?: Connections,
  { headersMs, requestMs, silenceMs }: Patience = defaultPatience,
): Promise<Listening> {
  const { port, host = loopback, names = [], trustedProxies = 0 } = address;
  const known = new Set([loopback, "localhost", ...names.map((name) => name.toLowerCase())]);
  /** Checks the host: a foreign site whose name points at this machine could let its scripts read our answers. */
  const isHere = (name: string): boolean => known.has(name);
  const server = createAdaptorServer({
    fetch: (request, { incoming }) =>
      isHere(new URL(request.url).hostname)
        ? program(request, requestFacts(incoming as IncomingMessage, trustedProxies))
        : misdirected(),
    overrideGlobalObjects: false,
    serverOptions: {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(headersMs, 5_000),
    },
  }) as Server;
  server.setTimeout(silenceMs);
  const underWay = new Set<ServerResponse>();
  server.on("request", (_: IncomingMessage, response: ServerResponse) => {
    underWay.add(response);
    response.once("close", () => underWay.delete(response));
  });
  connections?.serve(server, isHere);
  try {
    await bind(server, port, host);
  } catch (error) {
    // Other machines connect to an agreed port: a free port would not help them.
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || host !== loopback) throw error;
    await bind(server, 0, host);
  }
  const { port: bound } = server.address() as AddressInfo;

  return {
    url: `http://${loopback}:${bound}`,
    port: bound,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      const dismissed = connections?.dismiss();
      // A connection that stays open for a next request would keep the server from closing.
      for (const response of underWay) if (!response.headersSent) response.setHeader("connection", "close");
      const patience = setTimeout(() => server.closeAllConnections(), closingGraceMs);
      await dismissed;
      await closed;
      clearTimeout(patience);
    },
  };
}

async function bind(server: Server, port: number, host: string): Promise<void> {
  server.listen(port, host);
  await once(server, "listening");
}

function misdirected(): Response {
  return Response.json(
    { error: "This name is not one of this server's: ask for 127.0.0.1 or localhost, or start it with --name" },
    { status: 421, headers: { "cache-control": "no-store", "x-content-type-options": "nosniff" } },
  );
}
