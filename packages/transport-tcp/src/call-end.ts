import { longestTimerMs, onAbort, TransportError } from "@continuum-cache/core";
import { type Place, transportName } from "./tcp-error.ts";
import type { Trip } from "./trip.ts";

/** How a trip may end before its answer. */
export interface CallEnd {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly place: Place;
  /** Called when the trip has been ended early. */
  onEnd(trip: Trip, timedOut: boolean): void;
}

/**
 * Ends a trip at its deadline or when its caller's signal fires, whichever comes first. No timer and no listener
 * outlives it.
 *
 * What core's `withDeadline` promises, at a fraction of its price: a trip can be failed from outside, so it needs neither
 * a signal of its own nor a race, and small commands are as fast as their overhead.
 */
export function endInTime(trip: Trip, { timeoutMs, signal, place, onEnd }: CallEnd): void {
  const end = (timedOut: boolean): void => {
    const written = trip.writtenTo !== undefined;
    if (!timedOut) trip.end(abortedError(signal, written));
    else trip.end(trip.isQueued ? queuedError(timeoutMs) : timeoutError(timeoutMs, written, place));
    onEnd(trip, timedOut);
  };
  const timer = setTimeout(end, Math.min(timeoutMs, longestTimerMs), true);
  const stopHearing = onAbort(signal, () => end(false));
  trip.onSettled = () => {
    clearTimeout(timer);
    stopHearing();
  };
}

/** The caller's signal has fired. */
export function abortedError(signal: AbortSignal | undefined, written: boolean): TransportError {
  const cause: unknown = signal?.reason;
  return new TransportError("aborted", "The call was aborted by its signal", details(written, cause));
}

function timeoutError(timeoutMs: number, written: boolean, { where, secure }: Place): TransportError {
  const mend = secure ? "; if it is a server without TLS, use redis://" : "";
  const text = written
    ? "raise `timeout`, or look at the server and the network"
    : `the connection to ${where} did not come about${mend}`;
  return new TransportError("timeout", `No answer within ${timeoutMs} ms (${text})`, details(written));
}

/** Earlier trips to its keys took all of its time: theirs are the errors that tell of the server. */
const queuedError = (timeoutMs: number): TransportError =>
  new TransportError(
    "timeout",
    `The call's turn did not come within ${timeoutMs} ms: earlier calls for its keys are under way still (raise \`timeout\`)`,
    { transport: transportName, delivery: "none", queued: true },
  );

const details = (written: boolean, cause?: unknown) => ({
  transport: transportName,
  delivery: written ? ("unknown" as const) : ("none" as const),
  ...(cause !== undefined && { cause }),
});
