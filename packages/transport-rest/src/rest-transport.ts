import { conceal } from "@continuum-cache/core/kit";
import { Redis } from "@upstash/redis";
import { defaultHttp } from "#default-http";
import { openTransport } from "./open-transport.ts";
import type { RestTransportOptions } from "./rest-options.ts";
import { createRequester } from "./rest-requester.ts";
import { type PlainRestTransport, withDispatch, withSubscribe } from "./with-subscribe.ts";

/** A transport over Upstash's REST API, and the official client on the same connections. */
export interface RestTransport extends PlainRestTransport {
  /**
   * The official client of @upstash/redis, for whatever this library does not wrap. It shares this transport's
   * connections, token, deadline and read-your-writes; it converts values in its own ways (`"123"` reads as a number).
   */
  readonly client: Redis;
}

/**
 * Reaches an Upstash database by its REST API, over HTTP alone: for Workers and other places without sockets, and
 * anywhere else. A trip is one HTTP request; connections are kept alive. It repeats a request by itself only where an
 * idle connection turns out to be closed and the request may run twice or was surely not sent, and sends in parts
 * what is too large for one. For everything else wrap it in core's `guarded`, or let `Cache` do so.
 *
 * `plainRestTransport` of `@continuum-cache/transport-rest/plain` is the same without the official client, half as
 * large.
 *
 * @throws ConfigError when an option is wrong or unknown; the message names it and never holds the token.
 *
 * @example
 * ```ts
 * import { Cache } from "@continuum-cache/core";
 * import { restTransport } from "@continuum-cache/transport-rest";
 *
 * const transport = restTransport({ url: "https://my-database.upstash.io", token: "…", timeout: "2s" });
 * const cache = new Cache({ transport });
 * const types = await transport.client.type("any:key");
 * ```
 */
export function restTransport(options: RestTransportOptions): RestTransport {
  const opened = openTransport(options, defaultHttp);
  const { transport: plain, streams } = withSubscribe(opened);
  let client: Redis | undefined;
  const transport: RestTransport = {
    ...plain,
    get client() {
      client ??= new Redis(createRequester({ ...opened, streams }));
      return client;
    },
  };
  return withDispatch(conceal(transport, "client"));
}
