import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { ConfigError } from "@continuum-cache/core";
import { errorBody } from "../protocol/response-format.ts";
import type { RequestHandler } from "./request-handler.ts";

/** The HTTP side of the server: its port, its connections, and their in-flight requests. */
export interface HttpListener {
  /** How many requests have arrived. */
  readonly requests: number;
  /** Resolves to the port. @throws ConfigError when the address is taken or can't be listened on. */
  listen(port: number, host: string): Promise<number>;
  /** Drops every open connection. */
  cut(): void;
  /** Ends streams at once, lets requests finish for a moment, then drops the rest. */
  close(): Promise<void>;
}

/** How long in-flight requests may still take when the server closes. */
const closingGraceMs = 500;

/** Keys of 32 KB fit into a path even when each byte is escaped. */
const maxHeaderBytes = 128 << 10;

/** A request must arrive within this time, body included: a client that sends a byte now and then is dropped. */
const requestTimeoutMs = 60_000;
/** Further connections are dropped. */
const maxConnections = 10_000;

/** Longer than clients keep an idle connection, so that no connection closes while a request is on its way. */
const keepAliveMs = 75_000;

interface InFlightRequest {
  readonly request: IncomingMessage;
  readonly life: AbortController;
  readonly closed: Promise<void>;
}

/** @param admits - Whether a new connection may stay. */
export function createHttpListener(handle: RequestHandler, admits: () => boolean): HttpListener {
  let requests = 0;
  const sockets = new Set<Socket>();
  const inFlight = new Map<ServerResponse, InFlightRequest>();
  const work = new Set<Promise<void>>();
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    keepAliveTimeout: keepAliveMs,
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
  });
  server.maxConnections = maxConnections;

  server.on("connection", (socket: Socket) => {
    if (!admits()) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    requests++;
    const life = new AbortController();
    const closed = new Promise<void>((resolve) => {
      response.once("close", () => {
        inFlight.delete(response);
        life.abort();
        resolve();
      });
    });
    inFlight.set(response, { request, life, closed });
    // These fail when a client goes away. The `close` listener above handles that.
    request.on("error", () => {});
    response.on("error", () => {});
    const done = handle(request, response, life.signal).finally(() => work.delete(done));
    work.add(done);
  });

  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    // Earlier, valid requests are answered first: the client would take an answer out of turn for theirs. A request
    // that is incomplete is the invalid one itself.
    const earlier = [...inFlight.values()].filter(({ request }) => request.socket === socket && request.complete);
    void Promise.all(earlier.map(({ closed }) => closed)).then(() => answerGarbage(error, socket));
  });

  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };

  return {
    get requests() {
      return requests;
    },
    listen: (port, host) => listen(server, port, host),
    cut,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const [response, { life }] of inFlight) if (response.headersSent) life.abort();
      server.closeIdleConnections();
      await settledWithin(closingGraceMs, [...work]);
      for (const { life } of inFlight.values()) life.abort();
      cut();
      await closed;
      await settledWithin(closingGraceMs, [...work]);
    },
  };
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE")
      throw new ConfigError("host", `Can't listen on ${host}, port ${port}: ${code}`, { cause });
    throw new ConfigError(
      "port",
      `Port ${port} of ${host} is taken: stop what listens there, or choose another port (0 takes a free one)`,
      { cause },
    );
  }
  return (server.address() as AddressInfo).port;
}

const garbageAnswers: Readonly<Record<string, readonly [status: string, text: string]>> = {
  HPE_HEADER_OVERFLOW: [
    "431 Request Header Fields Too Large",
    "ERR the URL or the headers are too long: send the command as a body",
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "ERR the request did not arrive completely in time"],
};

/** Answers bytes that are not HTTP, where an answer can still be written. */
function answerGarbage(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status, text] = garbageAnswers[error.code ?? ""] ?? ["400 Bad Request", "ERR the request is not valid HTTP"];
  const { body } = errorBody(text);
  const headers = ["content-type: application/json", `content-length: ${body.length}`, "connection: close"];
  socket.end(`${[`HTTP/1.1 ${status}`, ...headers].join("\r\n")}\r\n\r\n${body}`);
}

async function settledWithin(ms: number, work: readonly Promise<void>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.all(work), timeout]);
  clearTimeout(timer);
}
