import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";

/** A program that can be reached over HTTP. */
export interface Listening {
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** Takes no new requests, lets those under way finish, for a while, and gives the port back. */
  close(): Promise<void>;
}

type Program = (request: Request) => Response | Promise<Response>;

/** What is served besides requests, through connections that stay. */
export interface Connections {
  /** Takes them. @param isHere - Whether a host's name is one of this machine's. */
  serve(server: Server, isHere: (hostname: string) => boolean): void;
  /** Ends them: the server can't close before. */
  dismiss(): Promise<void>;
}

/** Only this machine can connect. */
const hostname = "127.0.0.1";

/** How long requests under way may still take when the server closes. */
const closingGraceMs = 5_000;

/** Listens on this machine: on the port that was asked for, or on a free one when that is taken. */
export async function listen(program: Program, port: number, connections?: Connections): Promise<Listening> {
  const server = createAdaptorServer({
    fetch: (request) => (isHere(new URL(request.url).hostname) ? program(request) : misdirected()),
    overrideGlobalObjects: false,
  }) as Server;
  const underWay = new Set<ServerResponse>();
  server.on("request", (_: IncomingMessage, response: ServerResponse) => {
    underWay.add(response);
    response.once("close", () => underWay.delete(response));
  });
  connections?.serve(server, isHere);
  try {
    await bind(server, port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    await bind(server, 0);
  }
  const { port: bound } = server.address() as AddressInfo;

  return {
    url: `http://${hostname}:${bound}`,
    port: bound,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      const dismissed = connections?.dismiss();
      // Else their connections would stay open for a next request, and keep the server from closing.
      for (const response of underWay) if (!response.headersSent) response.setHeader("connection", "close");
      const patience = setTimeout(() => server.closeAllConnections(), closingGraceMs);
      await dismissed;
      await closed;
      clearTimeout(patience);
    },
  };
}

async function bind(server: Server, port: number): Promise<void> {
  server.listen(port, hostname);
  await once(server, "listening");
}

/** Another site's name that was pointed at this machine would let that site's scripts read our answers. */
function isHere(name: string): boolean {
  return ["127.0.0.1", "localhost"].includes(name);
}

function misdirected(): Response {
  return Response.json({ error: "This demo answers on 127.0.0.1 and localhost only" }, { status: 421 });
}
