import { isTransportError, TransportError, type TransportErrorKind } from "../errors/transport-error.ts";
import type { Reply } from "../ports/transport.ts";
import type { Dispatch, ReplyHandler, RoundTrip, WriteLedger } from "../trips/round-trip.ts";
import type { Breaker, BreakerPermit } from "./breaker.ts";
import type { CancellableSleep } from "./cancellable-sleep.ts";
import type { dedupeFailures } from "./outage.ts";
import { backoffMs, isOvertaken, mayRetry } from "./retry.ts";

/** What all trips through one guard share. */
export interface Guard {
  /** The transport's name. */
  readonly name: string;
  readonly dispatch: Dispatch;
  /** How many more attempts a trip gets after the first. */
  readonly retries: number;
  /** Absent where the server is asked every time. */
  readonly breaker: Breaker | undefined;
  /** Tells the breaker of a failure. */
  readonly reportFailure: ReturnType<typeof dedupeFailures> | undefined;
  readonly sleep: CancellableSleep;
  /** Compares the trips that are in no ledger yet. A fallback puts its own into the same one. */
  readonly ledger: WriteLedger;
}

/** A trip that has not ended so long after its deadline has vanished. */
const graceMs = 100;

/** With less time than this another attempt would tell nothing but that time was up. */
const leastAttemptMs = 10;

/** Sends trips through a guard. */
export function dispatchThrough(guard: Guard): Dispatch {
  return (trip, handler) => {
    // An empty trip goes nowhere, so nothing can be learned from it.
    if (trip.commands.length === 0) guard.dispatch(trip, handler);
    else new GuardedTrip(guard, trip, handler).begin();
  };
}

/**
 * A trip that is repeated while that is harmless: an attempt, then perhaps a pause and the next attempt, until an answer
 * comes, time is up, or the failure is one that another attempt would not change.
 */
class GuardedTrip implements ReplyHandler {
  readonly #guard: Guard;
  readonly #trip: RoundTrip;
  readonly #handler: ReplyHandler;
  readonly #isInOwnLedger: boolean;
  #attempt = 0;
  /** Of the present attempt, for the breaker. */
  #startedMs = 0;
  /** As what the breaker has let the present attempt through. */
  #permit: BreakerPermit = "call";
  /** Of the latest attempt, with what the earlier ones leave uncertain. */
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
    // Too late for another attempt is no timeout of the server's.
    if (!this.#hasTimeAfter(0) || !this.#trip.isWanted) return false;
    // What was sent meanwhile to the same keys would be undone.
    const written = this.#trip.ledger?.writtenSince(this.#trip);
    return !written || !isOvertaken(this.#trip.commands, written);
  }

  #hasTimeAfter(pauseMs: number): boolean {
    return performance.now() + pauseMs + leastAttemptMs < this.#trip.deadlineMs;
  }

  /** What a trip gets that was closed or aborted while it was not under way. */
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

/** An attempt that surely never left does not undo an earlier one that may have arrived. */
function afterwards(error: TransportError, earlier: TransportError | undefined): TransportError {
  if (error.delivery === "unknown" || earlier?.delivery !== "unknown") return error;
  const { kind, transport, retryAfterMs } = error;
  return new TransportError(kind, `${error.message} (an earlier attempt may have arrived)`, {
    transport,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    cause: error,
  });
}

/** What brings a server back, for the person who reads the log: the kinds that open a breaker. */
const advice: Partial<Record<TransportErrorKind, string>> = {
  unreachable: "look at the server and the network",
  timeout: "look at the server and the network, or raise `timeout`",
  protocol: "what answers there is no Redis: look at the address and any proxy",
  quota: "wait, or raise the plan's limit",
  unauthorized: "only a person can fix it: correct the token, the password or the permissions",
};

/** What a call gets that an open breaker did not let in: of the kind of the failure that opened it, and never sent. */
export function breakerOpenError(transport: string, { cause, waitMs }: Breaker): TransportError {
  const kind = cause?.kind ?? "unreachable";
  const next = waitMs > 0 ? `in ${waitMs} ms a call may try again` : "one call is just trying again";
  const why = `${kind} (${advice[kind] ?? advice.unreachable})`;
  return new TransportError(
    kind,
    `Not sent, the circuit breaker is open: ${why}; ${next}. What opened it: ${cause?.message}`,
    { transport, delivery: "none", ...(waitMs > 0 && { retryAfterMs: waitMs }), cause },
  );
}
