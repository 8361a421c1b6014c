import { conceal, offersDispatch, type Place, type Reply, type Transport, throughSend } from "@continuum-cache/core";
import { Redis } from "@upstash/redis";
import { defaultHttp } from "#default-http";
import { createCalls } from "./calls.ts";
import { createEndpoint } from "./endpoint.ts";
import { fetchHttp } from "./http/fetch-http.ts";
import { type RestTransportOptions, readOptions } from "./rest-options.ts";
import { createRequester } from "./rest-requester.ts";
import { maxTopicBytes, subscribeByRest } from "./rest-subscriber.ts";
import { createSyncToken } from "./sync-token.ts";
import { sendTrip } from "./trip.ts";
import { createTripOrder } from "./trip-order.ts";
import { planTrip } from "./trip-plan.ts";

/** A transport over Upstash's REST API, and the official client on the same connections. */
export interface RestTransport extends Transport {
  readonly name: "rest";
  subscribe: NonNullable<Transport["subscribe"]>;
  readonly maxTopicBytes: number;
  /**
   * The official client of @upstash/redis, for whatever this library does not wrap. It shares this transport's
   * connections, token, deadline and read-your-writes; it converts values in its own ways (`"123"` reads as a number).
   */
  readonly client: Redis;
}

/** A trip that has not ended so long after its deadline has vanished. */
const graceMs = 20;

/**
 * Reaches an Upstash database by its REST API, over HTTP alone: for Workers and other places without sockets, and anywhere
 * else. A trip is one HTTP request; connections are kept alive. It repeats a request by itself only where an idle connection
 * turns out to be closed and the request may run twice or was surely not sent, and sends in parts what is too large for one. For
 * everything else wrap it in core's `guarded`, or let `Cache` do so.
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
  const settings = readOptions(options);
  const http = options.http ?? (options.fetch ? fetchHttp(options.fetch) : defaultHttp());
  const sync = createSyncToken(settings.readYourWrites);
  const endpoint = createEndpoint(settings, http, sync);
  const calls = createCalls(settings.timeoutMs);
  const order = createTripOrder();
  let client: Redis | undefined;

  const send: Transport["send"] = (commands, sendOptions) => {
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
  };

  const transport: RestTransport = {
    name: "rest",
    get client() {
      client ??= new Redis(createRequester(endpoint, calls, sync));
      return client;
    },
    send,
    subscribe: (topics, listener, callOptions) =>
      subscribeByRest({ endpoint, calls, origin: settings.origin }, topics, listener, callOptions),
    maxTopicBytes,
    async close() {
      calls.close();
      http.close();
    },
  };
  // A call ends by its deadline and its signal, so that no layer above has to see to that.
  return offersDispatch(conceal(transport, "client"), throughSend(transport));
}
