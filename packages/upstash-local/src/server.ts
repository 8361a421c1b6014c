import { conceal } from "@continuum-cache/core/kit";
import { openEngine } from "./engine/engine.ts";
import { createExecution } from "./engine/execution.ts";
import { createLocalAnswers } from "./engine/local-answers.ts";
import { createFaults, type Fault } from "./faults.ts";
import { createHttpListener } from "./http/http-listener.ts";
import { createPagePolicy } from "./http/page-policy.ts";
import { createRequestHandler } from "./http/request-handler.ts";
import { createOpenStreams } from "./http/sse.ts";
import { createLimits } from "./limits.ts";
import type { UpstashLocalOptions } from "./options.ts";
import { createSyncToken } from "./protocol/sync-token.ts";
import { createAuthorization } from "./request/authorization.ts";
import { createHeldBytes } from "./request/held-bytes.ts";
import { readSettings } from "./settings.ts";

/** A running local Upstash. */
export interface UpstashLocal {
  /** The value for UPSTASH_REDIS_REST_URL. */
  readonly url: string;
  readonly port: number;
  /** The value for UPSTASH_REDIS_REST_TOKEN. Printing the server shows neither this nor the other token. */
  readonly token: string;
  readonly readOnlyToken: string | undefined;
  /** What the server has handled: HTTP requests, and the commands that the service would bill. */
  readonly usage: { readonly requests: number; readonly commands: number };
  /** Starts a fault, until the next call; `undefined` ends it. */
  fault(fault: Fault | undefined): void;
  /** Holds requests back, as a server that hangs, until `resume()`. */
  pause(): void;
  resume(): void;
  /** Drops every open connection, streams included. New ones are accepted. */
  cut(): void;
  /** Ends streams and connections and gives the port back. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Starts a server on this machine that speaks the REST protocol of Upstash Redis, in front of a Redis or of an embedded
 * memory engine, for development and tests without an account. Web pages can't reach it unless `cors` names them.
 *
 * @throws ConfigError when an option is wrong or unknown, or the port is taken.
 *
 * @example
 * ```ts
 * import { startUpstashLocal } from "@continuum-cache/upstash-local";
 *
 * const server = await startUpstashLocal({ port: 0 });
 * const response = await fetch(`${server.url}/set/greeting/hello?EX=60`, {
 *   headers: { authorization: `Bearer ${server.token}` },
 * });
 * console.log(await response.json()); // { result: "OK" }
 * await server.close();
 * ```
 */
export async function startUpstashLocal(options: UpstashLocalOptions = {}): Promise<UpstashLocal> {
  const { port, host, token, readOnlyToken, cors, allowedHosts, timeoutMs, heartbeatMs } = readSettings(options);
  const limits = createLimits(options.limits);
  const engine = openEngine(options);
  const authorization = createAuthorization({ token, readOnlyToken });
  const syncToken = createSyncToken();
  const faults = createFaults(() => listener.cut());
  const handle = createRequestHandler({
    authorization,
    execution: createExecution({
      engine: engine.transport,
      timeoutMs,
      limits,
      localAnswers: createLocalAnswers(authorization),
      translation: engine.translation,
      syncToken,
    }),
    faults,
    pages: createPagePolicy({ cors, allowedHosts }),
    limits,
    heldBytes: createHeldBytes(limits.heldBytes),
    syncToken,
    stream: { engine: engine.transport, timeoutMs, heartbeatMs, streams: createOpenStreams(limits.streams) },
  });

  const listener = createHttpListener(handle, () => faults.admits());

  const boundPort = await listener.listen(port, host).catch(async (error: unknown) => {
    await engine.close();
    throw error;
  });

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    // Requests that are held back must not delay the end.
    faults.resume();
    await listener.close();
    await engine.close();
  };

  const server: UpstashLocal = {
    url: `http://${urlHost(host)}:${boundPort}`,
    port: boundPort,
    token,
    readOnlyToken,
    get usage() {
      return { requests: listener.requests, commands: limits.used };
    },
    fault: (fault) => faults.set(fault),
    pause: () => faults.pause(),
    resume: () => faults.resume(),
    cut: () => listener.cut(),
    close() {
      closing ??= close();
      return closing;
    },
  };
  return conceal(server, "token", "readOnlyToken");
}

/** Addresses that mean "all interfaces" can't be connected to, so the loopback address replaces them. */
function urlHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
