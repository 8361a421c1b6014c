import { type ConnectionOptions, createSecureContext } from "node:tls";
import { ConfigError, type Duration } from "@continuum-cache/core";
import {
  assertOptions,
  assertPem,
  defaultTimeoutMs,
  type KnownOptions,
  parseRedisUrl,
  type RedisAddress,
  toTimeoutMs,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import type { Redis, RedisOptions } from "ioredis";
import { assertGivenClient, type TcpClient } from "./tcp-client.ts";

/** Where to connect, and how. Either `url` or `client` is needed. */
export interface TcpOptions<Client extends TcpClient = Redis> {
  /**
   * `redis://[user:password@]host[:port][/database]`, `rediss://` for TLS, or `unix:///path/of/socket`. Upstash shows
   * it in its console; it wants TLS. Behind a `?` it takes `db` and `family` (4 or 6); for a socket `db`, `username`,
   * `password`.
   */
  readonly url?: string;
  /**
   * Your own ioredis client (of one server, no Cluster) instead of a `url`. The transport connects it on first use
   * and never ends it. It destroys its socket, so that the client connects again as its `retryStrategy` says, when
   * what comes through it cannot be replies of Redis, or when the server refuses its work (READONLY, MASTERDOWN,
   * LOADING), as after a failover. `keyPrefix`, `stringNumbers`, `readOnly` and `replyMapping: "resp3"` are rejected.
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
  /**
   * Allow `redis://`, which sends the password and all data in the clear, to a host that isn't loopback.
   *
   * @default false
   */
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

const known: KnownOptions<TcpOptions<TcpClient>> = {
  url: true,
  client: true,
  poolSize: true,
  timeout: true,
  tls: true,
  allowInsecure: true,
};

/**
 * Checks the options.
 *
 * @throws ConfigError that names the option and the fix, and never holds the password.
 */
export function readTcpOptions<Client extends TcpClient>(options: TcpOptions<Client>): TcpSettings {
  assertOptions<TcpOptions<TcpClient>>("tcpTransport", options, known);
  const { client, poolSize, timeout } = options;
  const timeoutMs = timeout === undefined ? defaultTimeoutMs : toTimeoutMs(timeout, "timeout");
  if (client === undefined) {
    return {
      poolSize: wholeNumberOption("poolSize", poolSize ?? 10),
      timeoutMs,
      ...readServer(options),
    };
  }
  const surplus = (["url", "poolSize", "tls", "allowInsecure"] as const).find((name) => options[name] !== undefined);
  if (surplus === "url") throw new ConfigError("client", "Expected either `url` or `client`, got both");
  if (surplus)
    throw new ConfigError(surplus, `Expected no \`${surplus}\` beside \`client\`, which has its own connection`);
  assertGivenClient(client);
  return { poolSize: 1, timeoutMs, server: undefined, where: "the given client's server", secure: true };
}

function readServer({
  url,
  tls,
  allowInsecure = false,
}: TcpOptions<TcpClient>): Pick<TcpSettings, "server" | "where" | "secure"> {
  const address = parseRedisUrl(typeof url === "string" ? url.trim() : url, { setting: "url", allowInsecure });
  const { secure, at, where, database, username, password, family } = address;
  if (!secure && tls) throw new ConfigError("tls", "Expected `url` to begin with rediss:// where `tls` is given");
  if (tls) assertUsable(tls);
  return {
    secure,
    where,
    server: {
      ...at,
      db: database,
      ...(family !== undefined && { family }),
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(secure && { tls: { ...serverName(at), ...tls } }),
    },
  };
}

function assertUsable(tls: ConnectionOptions): void {
  for (const name of ["ca", "cert"] as const) if (tls[name] !== undefined) assertPem(`tls.${name}`, tls[name]);
  try {
    createSecureContext(tls);
  } catch (error) {
    const { code = (error as Error).name } = error as NodeJS.ErrnoException;
    throw new ConfigError(
      "tls",
      `Expected \`tls\` to hold certificates and a key in PEM that fit each other, got ${code} from Node`,
    );
  }
}

/** A name to prove itself under is never sent for an IP address. */
function serverName(at: RedisAddress["at"]): ConnectionOptions {
  return "host" in at && /[a-z]/i.test(at.host) && !at.host.includes(":") ? { servername: at.host } : {};
}
