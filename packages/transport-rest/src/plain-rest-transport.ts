import { defaultHttp } from "#default-http";
import { openTransport, type SendOnlyRestTransport } from "./open-transport.ts";
import type { RestTransportOptions } from "./rest-options.ts";
import { type PlainRestTransport, withDispatch, withSubscribe } from "./with-subscribe.ts";

/**
 * `restTransport` without the official client: where nothing asks for `transport.client`, @upstash/redis is neither
 * loaded nor bundled. Everything else is the same.
 *
 * @throws ConfigError when an option is wrong or unknown; the message names it and never holds the token.
 *
 * @example
 * ```ts
 * import { Cache } from "@continuum-cache/core";
 * import { plainRestTransport } from "@continuum-cache/transport-rest/plain";
 *
 * const cache = new Cache({ transport: plainRestTransport({ url: "https://my-database.upstash.io", token: "…" }) });
 * ```
 */
export function plainRestTransport(options: RestTransportOptions): PlainRestTransport {
  return withDispatch(withSubscribe(openTransport(options, defaultHttp)).transport);
}

/**
 * `plainRestTransport` that can't listen, for where each kilobyte counts: the code that listens is neither loaded nor
 * bundled. It publishes all the same.
 *
 * @throws ConfigError when an option is wrong or unknown; the message names it and never holds the token.
 *
 * @example
 * ```ts
 * import { Cache } from "@continuum-cache/core";
 * import { sendOnlyRestTransport } from "@continuum-cache/transport-rest/plain";
 *
 * const cache = new Cache({ transport: sendOnlyRestTransport({ url: "https://my-database.upstash.io", token: "…" }) });
 * ```
 */
export function sendOnlyRestTransport(options: RestTransportOptions): SendOnlyRestTransport {
  return withDispatch(openTransport(options, defaultHttp).transport);
}
