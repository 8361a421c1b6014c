import { offersDispatch, type Transport, throughSend } from "@continuum-cache/core";
import { type OpenedTransport, openTransport, type SendOnlyRestTransport } from "./open-transport.ts";
import type { RestTransportOptions } from "./rest-options.ts";
import { maxTopicBytes, subscribeByRest } from "./rest-subscriber.ts";
import { createStreams, type Streams } from "./streams.ts";

/** A transport over Upstash's REST API, without the official client. */
export interface PlainRestTransport extends SendOnlyRestTransport {
  subscribe: NonNullable<Transport["subscribe"]>;
  readonly maxTopicBytes: number;
}

/**
 * `restTransport` without the official client: where nothing asks for `transport.client`, @upstash/redis is neither loaded nor
 * bundled. Everything else is the same.
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
  return withDispatch(listening(openTransport(options)).transport);
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
  return withDispatch(openTransport(options).transport);
}

/** The same transport, which listens too, by these streams. */
export function listening({ transport, settings, http, sync, calls }: OpenedTransport): {
  readonly transport: PlainRestTransport;
  readonly streams: Streams;
} {
  const streams = createStreams(settings, http, sync);
  const host = { streams, calls, origin: settings.origin };
  return {
    transport: {
      ...transport,
      subscribe: (topics, listener, callOptions) => subscribeByRest(host, topics, listener, callOptions),
      maxTopicBytes,
    },
    streams,
  };
}

/** A call ends by its deadline and its signal, so that no layer above has to see to that. */
export const withDispatch = <Own extends Transport>(transport: Own): Own =>
  offersDispatch(transport, throughSend(transport));
