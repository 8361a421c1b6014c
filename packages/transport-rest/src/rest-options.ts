import {
  assertToken,
  ConfigError,
  type Duration,
  defaultTimeoutMs,
  parseEndpoint,
  toTimeoutMs,
} from "@continuum-cache/core";
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
  /** Your own HTTP client, in place of whatever the platform would use. @default node:http(s) on Node, else `fetch` */
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
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
}

/** @throws ConfigError naming the option and the mend; it never prints the token or a password. */
export function readOptions(options: RestTransportOptions): RestSettings {
  const { token, timeout, fetch, http, allowInsecure = false } = options;
  const { maxRequestBytes = 9_000_000, maxResponseBytes = 110_000_000 } = options;
  const url = parseEndpoint(options.url, { setting: "url", schemes: ["https:", "http:"], allowInsecure });
  if (url.username || url.password) {
    throw new ConfigError(
      "url",
      `Expected \`url\` without a user and password, got some before ${url.host}: use \`token\``,
    );
  }
  if (url.search || url.hash) {
    throw new ConfigError(
      "url",
      `Expected \`url\` to end with its path, got more after ${url.origin}: cut it off at ? or #`,
    );
  }
  if (typeof token !== "function") assertToken("token", token);
  if (fetch && http) throw new ConfigError("fetch", "Expected `fetch` or `http`, got both: leave one out");
  return {
    baseUrl: (url.origin + url.pathname).replace(/\/+$/, ""),
    origin: url.origin,
    token,
    timeoutMs: timeout === undefined ? defaultTimeoutMs : milliseconds(timeout),
    maxRequestBytes: bytes("maxRequestBytes", maxRequestBytes),
    maxResponseBytes: bytes("maxResponseBytes", maxResponseBytes),
  };
}

function milliseconds(timeout: Duration): number {
  try {
    return toTimeoutMs(timeout, "timeout");
  } catch (cause) {
    throw new ConfigError("timeout", cause instanceof Error ? cause.message : "Expected `timeout` to be a duration", {
      cause,
    });
  }
}

function bytes(setting: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new ConfigError(setting, `Expected \`${setting}\` to be a positive number of bytes, got ${String(value)}`);
}
