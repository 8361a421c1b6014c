import type { Reply, SendOptions, Transport } from "../ports/transport.ts";
import { type ReplyHandler, RoundTrip } from "./round-trip.ts";

/** Sends a round trip and tells its handler the outcome, in this turn of the event loop or later. It never throws. */
export type Dispatch = (trip: RoundTrip, handler: ReplyHandler) => void;

/** The transports that take round trips directly, each with the `send` that means the same. */
const dispatchers = new WeakMap<Transport, { readonly send: Transport["send"]; readonly dispatch: Dispatch }>();

/**
 * Notes that a transport takes round trips directly, without the promises of `send`.
 *
 * It is no member of the transport: a decorator that copies a transport and replaces its `send` must never be passed by.
 */
export function offersDispatch<Own extends Transport>(transport: Own, dispatch: Dispatch): Own {
  dispatchers.set(transport, { send: transport.send, dispatch });
  return transport;
}

/**
 * How to send round trips through a transport: directly where it offers that, else by its `send`.
 *
 * @param bySend - Replaces the plain call of `send`.
 */
export function dispatchOf(transport: Transport, bySend: Dispatch = throughSend(transport)): Dispatch {
  return (trip, handler) => {
    const own = dispatchers.get(transport);
    // Its `send` may have been replaced since, by a test or a tracer.
    if (own?.send === transport.send) own.dispatch(trip, handler);
    else bySend(trip, handler);
  };
}

/** Sends round trips by a transport's `send`. */
function throughSend(transport: Transport): Dispatch {
  return (trip, handler) => {
    settleInto(handler, () => transport.send(trip.commands, sendOptionsOf(trip)));
  };
}

/** What a transport has to know of a round trip, as the options of `send`. */
export function sendOptionsOf(trip: RoundTrip): SendOptions {
  const options = { ...trip.options, timeoutMs: trip.leftMs };
  return trip.isAnswered === undefined ? options : { ...options, isWanted: () => trip.isWanted };
}

/** Tells a handler what becomes of some asynchronous work. */
export function settleInto(handler: ReplyHandler, work: () => Promise<Reply[]>): void {
  let answer: Promise<Reply[]>;
  try {
    answer = work();
  } catch (error) {
    handler.failed(error);
    return;
  }
  answer.then(
    (replies) => handler.answered(replies),
    (error: unknown) => handler.failed(error),
  );
}

/** The `send` of a transport that takes round trips directly. */
export function sendThrough(dispatch: Dispatch, defaultTimeoutMs: number): Transport["send"] {
  return (commands, options = {}) =>
    new Promise((answered, failed) => {
      dispatch(new RoundTrip(commands, options, defaultTimeoutMs), { answered, failed });
    });
}
