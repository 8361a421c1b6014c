import { isTransportError, TransportError, type TransportErrorKind } from "../errors/transport-error.ts";
import type { Reply } from "../ports/transport.ts";
import type { Dispatch, ReplyHandler, RoundTrip, WriteLedger } from "../trips/round-trip.ts";
import type { Breaker, BreakerPermit } from "./breaker.ts";
import type { CancellableSleep } from "./cancellable-sleep.ts";
import type { dedupeFailures } from "./outage.ts";
import { backoffMs, isOvertaken, mayRetry } from "./retry.ts";

/** What all trips through one `guarded` transport share. */
export interface Guard {
  /** The transport's name. */
  readonly name: string;
  readonly dispatch: Dispatch;
  /** How many more attempts a trip gets after the first. */
  readonly retries: number;
  /** Absent where the server is asked every time. */
  readonly breaker: Breaker | undefined;
  /** Reports a failure to the breaker. */
  readonly reportFailure: ReturnType<typeof dedupeFailures> | undefined;
  readonly sleep: CancellableSleep;
  /** For trips that are in no ledger yet. A fallback above adds its trips to the same ledger. */
  readonly ledger: WriteLedger;
}

/** A trip that has not ended this long after its deadline has vanished with its request. */
const graceMs = 100;

/** An attempt with less time than this would only time out. */
const leastAttemptMs = 10;

/** Sends trips through a guard. */
export function dispatchThrough(guard: Guard): Dispatch {
  return (trip, handler) => {
    // An empty trip is not sent, so its outcome says nothing about the server.
    if (trip.commands.length === 0) guard.dispatch(trip, handler);
    else new GuardedTrip(guard, trip, handler).begin();
  };
}

/**
 * A trip with retries: an attempt, then a pause and the next attempt, until an answer comes, the time is up, or a retry
 * would be harmful or useless.
 */
class GuardedTrip implements ReplyHandler {
  readonly #guard: Guard;
  readonly #trip: RoundTrip;
  readonly #handler: ReplyHandler;
  readonly #isInOwnLedger: boolean;
  #attempt = 0;
  /** Of the present attempt, for the breaker. */
  #startedMs = 0;
  /** The permit of the present attempt. */
  #permit: BreakerPermit = "call";
  /** The latest attempt's error. Its `delivery` is `unknown` if that of an earlier attempt was. */
  #failure: TransportError | undefined = undefined;

  constructor(guard: Guard, trip: RoundTrip, handler: ReplyHandler) {
    this.#guard = guard;
    this.#trip = trip;
    this.#handler = handler;
    this.#isInOwnLedger = trip.ledger === undefined;
    if (this.#isInOwnLedger) guard.ledger.add(trip);
  }

  begin(): void {
    const { breaker, name, dispatch } = this.#guard;
    if (breaker) {
      this.#startedMs = performance.now();
      const permit = breaker.acquire(this.#trip.deadlineMs - this.#startedMs + graceMs);
      if (!permit) {
        this.#end(this.#failure ?? this.#stopped() ?? breakerOpenError(name, breaker));
        return;
      }
      this.#permit = permit;
    }
    dispatch(this.#trip, this);
  }

  answered(replies: Reply[]): void {
    this.#guard.breaker?.succeeded(this.#permit);
    if (this.#isInOwnLedger) this.#guard.ledger.succeeded(this.#trip);
    this.#handler.answered(replies);
  }

  failed(error: unknown): void {
    const { reportFailure, sleep, retries, breaker } = this.#guard;
    reportFailure?.(error, this.#permit, this.#startedMs);
    if (!isTransportError(error)) {
      this.#end(error);
      return;
    }
    this.#failure = afterwards(error, this.#failure);
    const pauseMs = Math.max(backoffMs(this.#attempt), error.retryAfterMs ?? 0);
    const again =
      this.#attempt < retries &&
      mayRetry(error, this.#trip.commands) &&
      this.#trip.isWanted &&
      (breaker?.state ?? "closed") === "closed" &&
      this.#hasTimeAfter(pauseMs);
    if (!again) {
      this.#end(this.#failure);
      return;
    }
    void sleep.wait(pauseMs, this.#trip.options.signal).then((waited) => this.#goOn(waited));
  }

  /** After a pause. */
  #goOn(waited: boolean): void {
    if (!waited) this.#end(this.#stopped() ?? this.#failure);
    else if (this.#mayGoOn()) {
      this.#attempt++;
      this.begin();
    } else this.#end(this.#failure);
  }

  #mayGoOn(): boolean {
    // Too little time for another attempt is not a timeout of the server.
    if (!this.#hasTimeAfter(0) || !this.#trip.isWanted) return false;
    // A retry must not undo a later write to the same keys.
    const written = this.#trip.ledger?.writtenSince(this.#trip);
    return !written || !isOvertaken(this.#trip.commands, written);
  }

  #hasTimeAfter(pauseMs: number): boolean {
    return performance.now() + pauseMs + leastAttemptMs < this.#trip.deadlineMs;
  }

  /** The error of a trip that was closed or aborted between two attempts. */
  #stopped(): TransportError | undefined {
    const { sleep, name } = this.#guard;
    const { signal } = this.#trip.options;
    if (!sleep.isEnded && !signal?.aborted) return undefined;
    return new TransportError(sleep.isEnded ? "closed" : "aborted", "The call ended while it waited to be sent", {
      transport: name,
      delivery: this.#failure?.delivery ?? "none",
      cause: this.#failure ?? signal?.reason,
    });
  }

  #end(error: unknown): void {
    if (this.#isInOwnLedger) this.#guard.ledger.failed(this.#trip);
    this.#handler.failed(error);
  }
}

/** The error of an attempt that was surely not sent, if an earlier attempt may have arrived. */
function afterwards(error: TransportError, earlier: TransportError | undefined): TransportError {
  if (error.delivery === "unknown" || earlier?.delivery !== "unknown") return error;
  const { kind, transport, retryAfterMs } = error;
  return new TransportError(kind, `${error.message} (an earlier attempt may have arrived)`, {
    transport,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    cause: error,
  });
}

/** What to do about each kind of failure that opens a breaker. */
const advice: Partial<Record<TransportErrorKind, string>> = {
  unreachable: "look at the server and the network",
  timeout: "look at the server and the network, or raise `timeout`",
  protocol: "what answers there is no Redis: look at the address and any proxy",
  quota: "wait, or raise the plan's limit",
  unauthorized: "only a person can fix it: correct the token, the password or the permissions",
};

/** The error of a call that an open breaker has refused. It has the kind of the failure that opened the breaker. */
function breakerOpenError(transport: string, { cause, waitMs }: Breaker): TransportError {
  const kind = cause?.kind ?? "unreachable";
  const next = waitMs > 0 ? `in ${waitMs} ms a call may try again` : "one call is just trying again";
  const why = `${kind} (${advice[kind] ?? advice.unreachable})`;
  return new TransportError(
    kind,
    `Not sent, the circuit breaker is open: ${why}; ${next}. What opened it: ${cause?.message}`,
    { transport, delivery: "none", ...(waitMs > 0 && { retryAfterMs: waitMs }), cause },
  );
}
