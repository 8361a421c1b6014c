import type { ConnectionOptions } from "node:tls";
import { ConfigError, type Duration, defaultTimeoutMs, toTimeoutMs } from "@continuum-cache/core";
import type { Redis, RedisOptions } from "ioredis";

/** The part of an ioredis client that the transport uses. */
export type TcpClient = Pick<Redis, "connect" | "duplicate" | "off" | "on" | "sendCommand" | "status" | "stream">;

/** Where to connect, and how. Either `url` or `client` is needed. */
export interface TcpOptions<Client extends TcpClient = Redis> {
  /**
   * `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS. Upstash shows it in its console; it
   * wants TLS.
   */
  readonly url?: string;
  /**
   * Your own ioredis client instead of a `url`. Its connection stays yours: the transport never opens it a second time
   * nor closes it, and its own retries and `keyPrefix` are not the transport's. It must answer in RESP2 shapes, which
   * is ioredis' default.
   */
  readonly client?: Client;
  /**
   * The most connections to open. A second one is opened only when the first is held up by more than 256 unanswered
   * commands or 256 KiB of requests: small commands travel best together. At least 1. @default 10
   */
  readonly poolSize?: number;
  /** How long a call may take that brings no `timeoutMs`, connecting included. @default "5s" */
  readonly timeout?: Duration;
  /** TLS settings, such as `ca`, for `rediss://`. */
  readonly tls?: ConnectionOptions;
  /** Allow `redis://`, which sends the password and all data in the clear, to a host that isn't loopback. @default false */
  readonly allowInsecure?: boolean;
}

/** The options, checked. */
export interface TcpSettings {
  readonly poolSize: number;
  readonly timeoutMs: number;
  /** What to tell ioredis of the server; absent when the caller brings a client. */
  readonly server: RedisOptions | undefined;
  /** `host:port`, for messages. */
  readonly where: string;
  readonly secure: boolean;
}

/**
 * Checks the options.
 *
 * @throws ConfigError that names the option and the mend, and never holds the password.
 */
export function readTcpOptions<Client extends TcpClient>(options: TcpOptions<Client>): TcpSettings {
  const { url, client, poolSize = 10, timeout } = options;
  if (!Number.isSafeInteger(poolSize) || poolSize < 1) {
    throw new ConfigError(
      "poolSize",
      `Expected \`poolSize\` to be a whole number of at least 1, got ${String(poolSize)}`,
    );
  }
  const timeoutMs = timeout === undefined ? defaultTimeoutMs : readTimeout(timeout);
  if (client !== undefined) {
    if (url !== undefined) throw new ConfigError("client", "Expected either `url` or `client`, got both");
    return { poolSize: 1, timeoutMs, server: undefined, where: "the given client's server", secure: true };
  }
  return { poolSize, timeoutMs, ...readServer(url, options) };
}

function readTimeout(timeout: Duration): number {
  try {
    return toTimeoutMs(timeout, "timeout");
  } catch (cause) {
    throw new ConfigError("timeout", (cause as Error).message, { cause });
  }
}

const expectedUrl = "Expected `url` to look like rediss://user:password@host:6379 (or redis:// for a local server)";

function readServer(text: unknown, options: TcpOptions<TcpClient>): Pick<TcpSettings, "server" | "where" | "secure"> {
  if (text === undefined || text === "") throw new ConfigError("url", `${expectedUrl}, got none`);
  // The parser's own error repeats the whole text, password included: it must not become a cause.
  const url = typeof text === "string" && URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (!url) throw new ConfigError("url", `${expectedUrl}, got something that is no URL`);
  if (url.protocol !== "redis:" && url.protocol !== "rediss:") {
    const mend = /^https?:$/.test(url.protocol)
      ? ": that is the address of the REST API, which restTransport takes"
      : "";
    throw new ConfigError("url", `${expectedUrl}, got "${url.protocol}"${mend}`);
  }
  if (url.hostname === "") throw new ConfigError("url", `${expectedUrl}, got no host`);
  const database = /^\/?$/.test(url.pathname) ? 0 : Number(/^\/(\d{1,5})$/.exec(url.pathname)?.[1] ?? Number.NaN);
  if (Number.isNaN(database))
    throw new ConfigError("url", `${expectedUrl}: after the host only the number of a database may follow`);

  const secure = url.protocol === "rediss:";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (!secure && options.tls)
    throw new ConfigError("tls", "Expected `url` to begin with rediss:// where `tls` is given");
  if (!secure && !isLoopback(host) && !options.allowInsecure) {
    throw new ConfigError(
      "url",
      `Expected \`url\` to begin with rediss://, since ${host} is not this machine and redis:// sends the password and all data in the clear; set \`allowInsecure: true\` to allow it`,
    );
  }
  const port = url.port === "" ? 6379 : Number(url.port);
  return {
    secure,
    where: `${url.hostname}:${port}`,
    server: {
      host,
      port,
      db: database,
      ...(url.username !== "" && { username: decoded(url.username) }),
      ...(url.password !== "" && { password: decoded(url.password) }),
      // A name to prove itself under is never sent for an IP address.
      ...(secure && {
        tls: { ...(/[a-z]/i.test(host) && !host.includes(":") && { servername: host }), ...options.tls },
      }),
    },
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ConfigError("url", "Expected user and password in `url` to be percent-encoded: write % itself as %25");
  }
}

function isLoopback(host: string): boolean {
  return host === "::1" || /^(localhost|.+\.localhost|127(\.\d{1,3}){3})$/i.test(host);
}
