import type { Reply, Transport } from "@continuum-cache/core";
import type { KeyTurn } from "@continuum-cache/core/kit";
import { type Calls, createCalls } from "./calls.ts";
import { fetchHttp } from "./http/fetch-http.ts";
import type { HttpClient } from "./http/http.ts";
import { createEndpoint, type Endpoint } from "./request/endpoint.ts";
import { createSyncToken, type SyncToken } from "./request/sync-token.ts";
import { type RestSettings, type RestTransportOptions, readOptions } from "./rest-options.ts";
import { sendTrip } from "./trip/trip.ts";
import { createTripOrder } from "./trip/trip-order.ts";
import { planTrip } from "./trip/trip-plan.ts";

/** A transport that sends, and what those need who listen, or use the official client, on the same connections. */
export interface OpenedTransport {
  readonly transport: SendOnlyRestTransport;
  readonly settings: RestSettings;
  readonly http: HttpClient;
  readonly endpoint: Endpoint;
  readonly calls: Calls;
  readonly sync: SyncToken;
}

/** A transport over Upstash's REST API that sends commands and does not listen. */
export interface SendOnlyRestTransport extends Transport {
  readonly name: "rest";
}

/** A trip that has not ended so long after its deadline has vanished. */
const graceMs = 20;

/**
 * @param defaultHttp - What requests leave through when the options don't say.
 * @throws ConfigError when an option is wrong or unknown.
 */
export function openTransport(options: RestTransportOptions, defaultHttp: () => HttpClient): OpenedTransport {
  const settings = readOptions(options);
  const http = options.http ?? (options.fetch ? fetchHttp(options.fetch) : defaultHttp());
  const sync = createSyncToken(settings.readYourWrites);
  const endpoint = createEndpoint(settings, http, sync);
  const calls = createCalls(settings.timeoutMs);
  const order = createTripOrder();

  const transport: SendOnlyRestTransport = {
    name: "rest",
    send(commands, sendOptions) {
      if (commands.length === 0) return Promise.resolve([]);
      const rules = { atomic: sendOptions?.atomic ?? false, maxRequestBytes: settings.maxRequestBytes };
      let turn: KeyTurn | undefined;
      return calls.run(
        sendOptions,
        (call) => {
          const requests = planTrip(commands, rules);
          turn = order.enter(commands, (sendOptions?.timeoutMs ?? settings.timeoutMs) + graceMs);
          const travel = (): Promise<Reply[]> => sendTrip(requests, { endpoint, call, rules });
          return turn.mustWait ? call.queue(turn.turn({ signal: call.signal })).then(travel) : travel();
        },
        () => turn?.leave(),
      );
    },
    async close() {
      // First, so that no call that waits for a connection gets that of one that ends.
      http.close();
      calls.close();
    },
  };
  return { transport, settings, http, endpoint, calls, sync };
}
