import type { Transport } from "@continuum-cache/core";
import { registerDispatch, throughSend } from "@continuum-cache/core/kit";
import type { OpenedTransport, SendOnlyRestTransport } from "./open-transport.ts";
import { maxTopicBytes, subscribeByRest } from "./subscriptions/rest-subscriber.ts";
import { createStreams, type Streams } from "./subscriptions/streams.ts";

/** A transport over Upstash's REST API, without the official client. */
export interface PlainRestTransport extends SendOnlyRestTransport {
  subscribe: NonNullable<Transport["subscribe"]>;
  readonly maxTopicBytes: number;
}

/** The same transport, which listens too, by these streams. */
export function withSubscribe({ transport, settings, http, sync, calls }: OpenedTransport): {
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
  registerDispatch(transport, throughSend(transport));
