import type { Transport } from "../ports/transport.ts";
import { dispatcherOf } from "./round-trip.ts";

/**
 * The transport that answers for the server and for nothing else: for features that never use a local stand-in. The
 * commands of a cache's own keys go through the cache's transport instead, with `fallback: false`: the stand-in has
 * to know of them.
 *
 * @example
 * ```ts
 * import { type Transport } from "@continuum-cache/core";
 * import { primaryOf } from "@continuum-cache/core/kit";
 *
 * const lengthOfQueue = (transport: Transport) => primaryOf(transport).send([["XLEN", "fed:queue:normal"]]);
 * ```
 */
export function primaryOf(transport: Transport): Transport {
  const primary = dispatcherOf(transport)?.primary;
  if (primary) return primary;
  const { name, maxTopicBytes, hasCheapTrips, status } = transport;
  // What goes through a decorator goes through its `send`, but the stand-in below it must not answer.
  if (!status?.onKept) return transport;
  return {
    name,
    send: (commands, options) => transport.send(commands, { ...options, fallback: false }),
    ...(transport.subscribe && { subscribe: transport.subscribe.bind(transport) }),
    ...(maxTopicBytes !== undefined && { maxTopicBytes }),
    ...(hasCheapTrips && { hasCheapTrips }),
    status,
    close: () => transport.close(),
  };
}
