import { offersDispatch, type Place, type Reply, type Transport, throughSend } from "@continuum-cache/core";
import { defaultHttp } from "#default-http";
import { type Calls, createCalls } from "./calls.ts";
import { createEndpoint, type Endpoint } from "./endpoint.ts";
import { fetchHttp } from "./http/fetch-http.ts";
import { type RestTransportOptions, readOptions } from "./rest-options.ts";
import { maxTopicBytes, subscribeByRest } from "./rest-subscriber.ts";
import { createSyncToken, type SyncToken } from "./sync-token.ts";
import { sendTrip } from "./trip.ts";
import { createTripOrder } from "./trip-order.ts";
import { planTrip } from "./trip-plan.ts";

/** A transport over Upstash's REST API, without the official client. */
export interface PlainRestTransport extends Transport {
  readonly name: "rest";
  subscribe: NonNullable<Transport["subscribe"]>;
  readonly maxTopicBytes: number;
}

/** A transport, and what the official client needs to share its connections, token and deadline. */
export interface OpenedTransport {
  readonly transport: PlainRestTransport;
  readonly endpoint: Endpoint;
  readonly calls: Calls;
  readonly sync: SyncToken;
}

/** A trip that has not ended so long after its deadline has vanished. */
const graceMs = 20;

/** @throws ConfigError when an option is wrong or unknown. */
export function openTransport(options: RestTransportOptions): OpenedTransport {
  const settings = readOptions(options);
  const http = options.http ?? (options.fetch ? fetchHttp(options.fetch) : defaultHttp());
  const sync = createSyncToken(settings.readYourWrites);
  const endpoint = createEndpoint(settings, http, sync);
  const calls = createCalls(settings.timeoutMs);
  const order = createTripOrder();

  const transport: PlainRestTransport = {
    name: "rest",
    send(commands, sendOptions) {
      if (commands.length === 0) return Promise.resolve([]);
      const rules = { atomic: sendOptions?.atomic ?? false, maxRequestBytes: settings.maxRequestBytes };
      let place: Place | undefined;
      return calls.run(
        sendOptions,
        (call) => {
          const legs = planTrip(commands, rules);
          place = order.enter(commands, (sendOptions?.timeoutMs ?? settings.timeoutMs) + graceMs);
          const travel = (): Promise<Reply[]> => sendTrip(legs, { endpoint, call, rules });
          return place.mustWait ? call.queue(place.turn({ signal: call.signal })).then(travel) : travel();
        },
        () => place?.leave(),
      );
    },
    subscribe: (topics, listener, callOptions) =>
      subscribeByRest({ endpoint, calls, origin: settings.origin }, topics, listener, callOptions),
    maxTopicBytes,
    async close() {
      // First, so that no call that waits for a connection gets that of one that ends.
      http.close();
      calls.close();
    },
  };
  // A call ends by its deadline and its signal, so that no layer above has to see to that.
  return { transport: offersDispatch(transport, throughSend(transport)), endpoint, calls, sync };
}
