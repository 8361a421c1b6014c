import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { ConfigError } from "@continuum-cache/core";
import { assertOptions, type KnownOptions } from "@continuum-cache/core/kit";
import { errorBody } from "./protocol/response-format.ts";
import { dailyRequestsExceeded, requestsExceeded, unauthorizedText } from "./protocol/service-texts.ts";
import { aborted } from "./request/aborted.ts";

/**
 * A fault to test clients with:
 *
 * - `"refuse"`: every connection is dropped, open ones too.
 * - `"hang"`: requests are accepted and never answered; their connections drop when the fault ends.
 * - `"unauthorized"`: 401 for every token.
 * - `"quota"`: 429 with `Retry-After: 1`.
 * - `"daily-limit"`, `"monthly-limit"`: 400 with the text by which the service says that the plan's commands are used
 * up.
 * - `"error-500"`: 500 with an error in JSON.
 * - `"html"`: 502 with a page, as from a proxy.
 * - `"login-page"`: 200 with a page, as from a network that requires a login.
 * - `"truncate"`: commands run, and half of the answer's JSON arrives.
 * - `"lost-reply"`: commands run, and the connection drops before the answer.
 * - `{ slowMs }`: every request takes this many milliseconds longer.
 */
export type Fault =
  | "refuse"
  | "hang"
  | "unauthorized"
  | "quota"
  | "daily-limit"
  | "monthly-limit"
  | "error-500"
  | "html"
  | "login-page"
  | "truncate"
  | "lost-reply"
  | { readonly slowMs: number };

/** The faults of one server. */
export interface Faults {
  readonly current: Fault | undefined;
  set(fault: Fault | undefined): void;
  /** Holds requests back until `resume()`; then they are answered. Open streams go on. */
  pause(): void;
  resume(): void;
  /** Whether a new connection may stay. */
  admits(): boolean;
  /** Applies the fault to a request. Resolves to `false` when the request needs no further answer. */
  before(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<boolean>;
  /** The part of an answer that is sent; `undefined` when its connection is dropped instead. */
  distort(body: Buffer): Buffer | undefined;
}

interface CannedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const canned: Partial<Record<string, CannedAnswer>> = {
  unauthorized: { status: 401, body: errorBody(unauthorizedText).body },
  quota: { status: 429, headers: { "retry-after": "1" }, body: errorBody("ERR too many requests").body },
  "daily-limit": { status: 400, body: errorBody(dailyRequestsExceeded(10_000, 10_001)).body },
  "monthly-limit": { status: 400, body: errorBody(requestsExceeded(500_000, 500_000)).body },
  "error-500": { status: 500, body: errorBody("ERR internal error").body },
  html: {
    status: 502,
    headers: { "content-type": "text/html" },
    body: Buffer.from("<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>\n"),
  },
  "login-page": {
    status: 200,
    headers: { "content-type": "text/html" },
    body: Buffer.from("<html><head><title>Welcome</title></head><body>Please log in</body></html>\n"),
  },
};

const names = new Set(["refuse", "hang", "truncate", "lost-reply", ...Object.keys(canned)]);

/** @param cutAll - Drops every open connection. */
export function createFaults(cutAll: () => void): Faults {
  let current: Fault | undefined;
  const hanging = new Set<ServerResponse>();
  let gate: { readonly opened: Promise<void>; open(): void } | undefined;

  return {
    get current() {
      return current;
    },
    set(fault) {
      assertFault(fault);
      current = fault;
      for (const response of hanging) response.destroy();
      if (fault === "refuse") cutAll();
    },
    pause() {
      gate ??= createGate();
    },
    resume() {
      gate?.open();
      gate = undefined;
    },
    admits: () => current !== "refuse",
    async before(request, response, signal) {
      if (gate) await Promise.race([gate.opened, aborted(signal)]);
      if (signal.aborted) return false;
      if (current === "refuse") {
        response.destroy();
        return false;
      }
      if (current === "hang") {
        request.resume();
        hanging.add(response);
        response.once("close", () => hanging.delete(response));
        return false;
      }
      if (typeof current === "object") {
        // Rejects only when the client has gone: then no answer is needed.
        await delay(current.slowMs, undefined, { signal }).catch(() => {});
        return !signal.aborted;
      }
      const answer = current === undefined ? undefined : canned[current];
      if (!answer) return true;
      request.resume();
      response.writeHead(answer.status, {
        "content-type": "application/json",
        "content-length": answer.body.length,
        ...answer.headers,
      });
      response.end(answer.body);
      return false;
    },
    distort(body) {
      if (current === "lost-reply") return undefined;
      return current === "truncate" ? body.subarray(0, Math.floor(body.length / 2)) : body;
    },
  };
}

const knownSlowness: KnownOptions<Exclude<Fault, string>> = { slowMs: true };

/** @throws ConfigError when the value is no fault. */
function assertFault(fault: Fault | undefined): void {
  if (fault === undefined || (typeof fault === "string" && names.has(fault))) return;
  const isSlowness = typeof fault === "object" && fault !== null;
  if (isSlowness) assertOptions("fault", fault, knownSlowness);
  if (isSlowness && Number.isFinite(fault.slowMs) && fault.slowMs >= 0) return;
  throw new ConfigError(
    "fault",
    `Expected a fault such as ${[...names].join(", ")} or { slowMs }, got ${JSON.stringify(fault)}`,
  );
}

function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
