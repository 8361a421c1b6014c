import { assertToken, ConfigError, type Duration, type Transport, toTimeoutMs } from "@continuum-cache/core";
import type { UpstashLimits } from "./limits.ts";

/** How to start a local Upstash. Everything is optional. */
export interface UpstashLocalOptions {
  /** The port to listen on; 0 takes a free one. @default 8079 */
  readonly port?: number | undefined;
  /** The address to listen on. @default "127.0.0.1" */
  readonly host?: string | undefined;
  /** The token that may run every command. @default "local" */
  readonly token?: string | undefined;
  /** A token that may only read. Without it there is none. */
  readonly readOnlyToken?: string | undefined;
  /** The Redis behind the server, `redis://` or `rediss://`. Without it an embedded memory engine answers. */
  readonly redisUrl?: string | undefined;
  /** Allows `redis://` to a Redis that isn't on this machine, such as another container. @default false */
  readonly allowInsecure?: boolean | undefined;
  /** Any other engine, instead of `redisUrl`. It stays its owner's: `close()` leaves it open. */
  readonly engine?: Transport | undefined;
  /** The limits of the plan to play. */
  readonly limits?: UpstashLimits | undefined;
  /** How long the engine may take to answer. @default "30s" */
  readonly timeout?: Duration | undefined;
  /** How often an open stream gets a comment as a sign of life. @default "15s" */
  readonly heartbeat?: Duration | undefined;
}

/** The options with their defaults, checked. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly token: string;
  readonly readOnlyToken: string | undefined;
  readonly timeoutMs: number;
  readonly heartbeatMs: number;
}

/** @throws ConfigError when an option makes no sense; it names the option and never prints a token. */
export function settingsOf(options: UpstashLocalOptions): Settings {
  const {
    port = 8079,
    host = "127.0.0.1",
    token = "local",
    readOnlyToken,
    timeout = "30s",
    heartbeat = "15s",
  } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ConfigError("port", `Expected \`port\` to be a whole number from 0 to 65535, got ${String(port)}`);
  }
  if (host === "") throw new ConfigError("host", "Expected `host` to be an address to listen on, got an empty text");
  assertToken("token", token);
  if (readOnlyToken !== undefined) assertToken("readOnlyToken", readOnlyToken);
  if (readOnlyToken === token) throw new ConfigError("readOnlyToken", "`readOnlyToken` is the same as `token`");
  if (options.engine && options.redisUrl !== undefined) {
    throw new ConfigError("engine", "`engine` and `redisUrl` exclude each other: give one of them");
  }
  return {
    port,
    host,
    token,
    readOnlyToken,
    timeoutMs: toTimeoutMs(timeout, "timeout"),
    heartbeatMs: toTimeoutMs(heartbeat, "heartbeat"),
  };
}
