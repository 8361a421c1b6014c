import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { ConfigError } from "@continuum-cache/core";
import { createAuthorization } from "./authorization.ts";
import { openEngine } from "./engine.ts";
import { createExecution } from "./execution.ts";
import { createFaults, type Fault } from "./faults.ts";
import { createLimits } from "./limits.ts";
import { createLocalAnswers } from "./local-answers.ts";
import { createRequestHandler } from "./request-handler.ts";
import { errorBody } from "./response-format.ts";
import { createSyncToken } from "./sync-token.ts";
import { settingsOf, type UpstashLocalOptions } from "./upstash-local-options.ts";

/** A running local Upstash. */
export interface UpstashLocal {
  /** What goes into UPSTASH_REDIS_REST_URL. */
  readonly url: string;
  readonly port: number;
  /** What goes into UPSTASH_REDIS_REST_TOKEN. */
  readonly token: string;
  readonly readOnlyToken: string | undefined;
  /** What was served so far: HTTP requests, and the commands that the service would bill. */
  readonly usage: { readonly requests: number; readonly commands: number };
  /** Makes it misbehave until the next call; `undefined` ends it. */
  fault(fault: Fault | undefined): void;
  /** Holds requests back, as a server that hangs, until `resume()` lets them be answered. */
  pause(): void;
  resume(): void;
  /** Drops every open connection, streams included; new ones are welcome. */
  cut(): void;
  /** Ends streams and connections and gives the port back. Safe to call twice. */
  close(): Promise<void>;
}

/** How long requests under way may still take when the server closes. */
const closingGraceMs = 500;

/** Keys of 32 KB fit into a path even when each byte is escaped. */
const maxHeaderBytes = 128 << 10;

/** Longer than clients keep an idle connection, so that none is closed under a request. */
const keepAliveMs = 75_000;

/**
 * Starts a server on this machine that speaks the REST protocol of Upstash Redis, in front of a Redis or of an embedded
 * memory engine, for development and tests without an account.
 *
 * @throws ConfigError when an option makes no sense or the port is taken.
 *
 * @example
 * ```ts
 * import { startUpstashLocal } from "@continuum-cache/upstash-local";
 *
 * const server = await startUpstashLocal({ port: 0, token: "local" });
 * const response = await fetch(`${server.url}/set/greeting/hello?EX=60`, {
 *   headers: { authorization: `Bearer ${server.token}` },
 * });
 * console.log(await response.json()); // { result: "OK" }
 * await server.close();
 * ```
 */
export async function startUpstashLocal(options: UpstashLocalOptions = {}): Promise<UpstashLocal> {
  const { port, host, token, readOnlyToken, timeoutMs, heartbeatMs } = settingsOf(options);
  const limits = createLimits(options.limits);
  const engine = openEngine(options);
  const authorization = createAuthorization({ token, readOnlyToken });
  const syncToken = createSyncToken();
  const sockets = new Set<Socket>();
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const faults = createFaults(cut);
  const handle = createRequestHandler({
    authorization,
    execution: createExecution({
      engine: engine.transport,
      timeoutMs,
      limits,
      localAnswers: createLocalAnswers(authorization),
      keyLocking: engine.keyLocking,
      syncToken,
    }),
    faults,
    limits,
    syncToken,
    stream: { engine: engine.transport, timeoutMs, heartbeatMs },
  });

  let requests = 0;
  const underWay = new Map<ServerResponse, { readonly life: AbortController; readonly socket: Socket }>();
  const work = new Set<Promise<void>>();
  const server = createServer({ maxHeaderSize: maxHeaderBytes, keepAliveTimeout: keepAliveMs });
  server.on("connection", (socket) => {
    if (!faults.admits(socket)) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("clientError", async (error: NodeJS.ErrnoException, socket: Socket) => {
    // Its earlier, good requests are answered first: an answer out of turn would be taken for theirs.
    const earlier = [...underWay].filter(([, each]) => each.socket === socket);
    await Promise.all(earlier.map(([response]) => once(response, "close")));
    answerGarbage(error, socket);
  });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    requests++;
    const life = new AbortController();
    underWay.set(response, { life, socket: request.socket });
    response.once("close", () => {
      underWay.delete(response);
      life.abort();
    });
    // A client that goes away breaks these; `close` above is all that has to be known of it.
    request.on("error", () => {});
    response.on("error", () => {});
    const done = handle(request, response, life.signal).finally(() => work.delete(done));
    work.add(done);
  });

  try {
    await listen(server, port, host);
  } catch (cause) {
    await engine.close();
    throw cause;
  }
  const address = server.address() as AddressInfo;

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    faults.resume();
    // Streams end by themselves at their signal; requests get a moment to finish.
    for (const [response, { life }] of underWay) if (response.headersSent) life.abort();
    server.closeIdleConnections();
    await settledWithin(closingGraceMs, [...work]);
    for (const { life } of underWay.values()) life.abort();
    cut();
    await closed;
    await Promise.all(work);
    await engine.close();
  };

  return {
    url: `http://${urlHost(host)}:${address.port}`,
    port: address.port,
    token,
    readOnlyToken,
    get usage() {
      return { requests, commands: limits.used };
    },
    fault: (fault) => faults.set(fault),
    pause: () => faults.pause(),
    resume: () => faults.resume(),
    cut,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    const taken = code === "EADDRINUSE";
    const [setting, why] = taken
      ? [
          "port",
          `Port ${port} of ${host} is taken: stop what listens there, or choose another port (0 takes a free one)`,
        ]
      : ["host", `Can't listen on ${host}, port ${port}: ${code}`];
    throw new ConfigError(setting, why, { cause });
  }
}

/** What is no HTTP at all gets an answer where one can still be written. */
function answerGarbage(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status, text] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? ["431 Request Header Fields Too Large", "ERR the URL or the headers are too long: send the command as a body"]
      : ["400 Bad Request", "ERR the request is not valid HTTP"];
  const { body } = errorBody(text);
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** Addresses that mean "all" are no address to connect to. */
function urlHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

async function settledWithin(ms: number, work: readonly Promise<void>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.all(work), timeout]);
  clearTimeout(timer);
}
