import type { Duration, Transport } from "@continuum-cache/core";
import type { UpstashLimits } from "./limits.ts";

/** How to start a local Upstash. Everything is optional. */
export interface UpstashLocalOptions {
  /** The port to listen on; 0 takes a free one. @default 8079 */
  readonly port?: number | undefined;
  /** The address to listen on. @default "127.0.0.1" */
  readonly host?: string | undefined;
  /** The token that may run every command. @default a random one, which `server.token` tells */
  readonly token?: string | undefined;
  /** A token that may only read. @default none */
  readonly readOnlyToken?: string | undefined;
  /** The Redis behind the server, `redis://` or `rediss://`. Without it an embedded memory engine answers. */
  readonly redisUrl?: string | undefined;
  /** Allows `redis://` to a Redis that isn't on this machine, such as another container. @default false */
  readonly allowInsecure?: boolean | undefined;
  /** Another engine, instead of `redisUrl`. `close()` leaves it open. */
  readonly engine?: Transport | undefined;
  /**
   * The origins of web pages that may send requests and read the answers, such as `http://localhost:3000`; `*` for
   * every page. A page of any other origin is refused: any site could reach this server through the browser of its
   * visitor. @default none
   */
  readonly cors?: readonly string[] | undefined;
  /**
   * Names under which the server is reached, besides addresses, `localhost` and names without a dot. Others are
   * refused: a site can let a name of its own lead to this machine. @default none
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** The limits of the plan to simulate. */
  readonly limits?: UpstashLimits | undefined;
  /** How long the engine may take to answer. @default "30s" */
  readonly timeout?: Duration | undefined;
  /** How often an open stream gets a heartbeat comment. @default "15s" */
  readonly heartbeat?: Duration | undefined;
}
