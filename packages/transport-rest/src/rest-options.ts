import { ConfigError, type Duration } from "@continuum-cache/core";
import {
  assertOptions,
  assertToken,
  booleanOption,
  defaultTimeoutMs,
  type KnownOptions,
  parseEndpoint,
  toTimeoutMs,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import type { Fetch } from "./http/fetch-http.ts";
import type { HttpClient } from "./http/http.ts";

/** How a REST transport is set up. */
export interface RestTransportOptions {
  /** Address of the database's REST API: `UPSTASH_REDIS_REST_URL`, an https:// address. */
  readonly url: string;
  /**
   * Its token, or a function that returns the current one: it is asked before each request, and once more when the
   * server refuses its token, so a rotation costs no call.
   */
  readonly token: string | (() => string | Promise<string>);
  /** How long a call may take when it doesn't say so itself; a bare number is seconds. @default "5s" */
  readonly timeout?: Duration;
  /** On a global database, reads see this transport's own earlier writes, whichever replica answers. @default true */
  readonly readYourWrites?: boolean;
  /** Your own `fetch`, in place of whatever the platform would use. @default none */
  readonly fetch?: Fetch;
  /**
   * Your own HTTP client, in place of whatever the platform would use.
   *
   * @default HTTP/1.1 on Node's own sockets, else `fetch`
   */
  readonly http?: HttpClient;
  /** Longer pipelines are sent in parts, in bytes of the request's body. @default 9_000_000 */
  readonly maxRequestBytes?: number;
  /** Longer answers are refused, in bytes. @default 110_000_000 */
  readonly maxResponseBytes?: number;
  /** Allows http:// to other machines: for a private network. @default false */
  readonly allowInsecure?: boolean;
}

/** Options as the transport works with them: checked, defaults filled in. */
export interface RestSettings {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** For error messages. */
  readonly origin: string;
  readonly token: string | (() => string | Promise<string>);
  readonly timeoutMs: number;
  readonly readYourWrites: boolean;
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
}

const knownOptions: KnownOptions<RestTransportOptions> = {
  url: true,
  token: true,
  timeout: true,
  readYourWrites: true,
  fetch: true,
  http: true,
  maxRequestBytes: true,
  maxResponseBytes: true,
  allowInsecure: true,
};

/** @throws ConfigError naming the option and what to do; it never prints the token or a password. */
export function readOptions(options: RestTransportOptions): RestSettings {
  assertOptions("restTransport", options, knownOptions);
  const { token, timeout, fetch, http } = options;
  const { maxRequestBytes = 9_000_000, maxResponseBytes = 110_000_000 } = options;
  const allowInsecure = booleanOption("allowInsecure", options.allowInsecure) ?? false;
  const url = parseEndpoint(options.url, { setting: "url", schemes: ["https:", "http:"], allowInsecure });
  if (typeof token !== "function") assertToken("token", token);
  if (fetch && http) throw new ConfigError("fetch", "Expected `fetch` or `http`, got both: leave one out");
  if (fetch !== undefined && typeof fetch !== "function") {
    throw new ConfigError("fetch", `Expected \`fetch\` to be a function, got ${typeof fetch}`);
  }
  if (http !== undefined && typeof http?.request !== "function") {
    throw new ConfigError(
      "http",
      `Expected \`http\` to be an HTTP client with \`request\` and \`close\`, got ${typeof http}`,
    );
  }
  return {
    baseUrl: (url.origin + url.pathname).replace(/\/+$/, ""),
    origin: url.origin,
    token,
    timeoutMs: timeout === undefined ? defaultTimeoutMs : toTimeoutMs(timeout, "timeout"),
    readYourWrites: booleanOption("readYourWrites", options.readYourWrites) ?? true,
    maxRequestBytes: wholeNumberOption("maxRequestBytes", maxRequestBytes),
    maxResponseBytes: wholeNumberOption("maxResponseBytes", maxResponseBytes),
  };
}
