import type { TransportError } from "../errors/transport-error.ts";
import type { Transport } from "../ports/transport.ts";
import { assertOptions, functionOption, type KnownOptions, wholeNumberOption } from "../settings/options.ts";
import { type Duration, toTimeoutMs } from "../time/duration.ts";
import { defaultTimeoutMs } from "../time/with-deadline.ts";
import { createWriteLedger, type Dispatch, dispatchOf, registerDispatch, sendThrough } from "../trips/round-trip.ts";
import { throughSend } from "../trips/through-send.ts";
import { type Breaker, createBreaker } from "./breaker.ts";
import type { BreakerOptions } from "./breaker-options.ts";
import { createCancellableSleep } from "./cancellable-sleep.ts";
import { dispatchThrough } from "./guarded-trip.ts";
import { withHardDeadline } from "./hard-deadline.ts";
import { dedupeFailures } from "./outage.ts";

/** How hard to try, and when to stop trying. */
export interface GuardOptions {
  /** How long one call may take, all attempts together. @default "5s" */
  readonly timeout?: Duration;
  /**
   * How many more attempts after the first, when the server was unreachable and a repetition is harmless.
   *
   * @default 3
   */
  readonly retries?: number;
  /** When to stop asking a server that fails; `false` to ask it every time. @default {} (the breaker's own defaults) */
  readonly breaker?: BreakerOptions | false;
  /** Called after each change of the breaker. One that opens because of `unauthorized` is worth an alarm. */
  readonly onBreaker?: (change: BreakerChange) => void;
}

/** What has become of a breaker, and the failure that is to blame while it is not closed. */
export interface BreakerChange {
  readonly state: Breaker["state"];
  readonly cause?: TransportError;
}

const knownOptions: KnownOptions<GuardOptions> = { timeout: true, retries: true, breaker: true, onBreaker: true };

/**
 * Puts a deadline, harmless retries and a circuit breaker around any transport.
 *
 * Every trip settles by its deadline (20 ms later at the latest, if the transport doesn't keep it itself). It is
 * repeated only when it surely never left, or when the command table says that it may arrive twice, and never once a
 * later trip has written the same keys; waiting and all attempts share one deadline. A server that asks for more
 * patience than is left (`retryAfterMs`) ends the call at once.
 *
 * Each attempt counts for the breaker by itself, but trips that one broken connection takes down together count as
 * one failure. While it is open every call rejects at once, with an error of the kind that opened it: `delivery` is
 * `"none"`, `retryAfterMs` what is left of the wait, `cause` the failure. Retries do not go on then: the call ends
 * with the failure of its last attempt. A subscription is made without asking the breaker.
 *
 * @throws ConfigError when an option is unknown or out of its range.
 *
 * @example
 * ```ts
 * import { guarded, type Transport } from "@continuum-cache/core";
 *
 * const steady = (transport: Transport) =>
 *   guarded(transport, {
 *     timeout: "2s",
 *     retries: 2,
 *     breaker: { failures: 10, maxWait: "10s" },
 *     onBreaker: ({ state, cause }) => console.warn(`the breaker is ${state}`, cause?.message),
 *   });
 * ```
 */
export function guarded(transport: Transport, options: GuardOptions = {}): Transport {
  assertOptions("guarded", options, knownOptions);
  const onBreaker = functionOption("onBreaker", options.onBreaker);
  const retries = wholeNumberOption("retries", options.retries ?? 3, { min: 0 });
  const ownTimeoutMs = options.timeout === undefined ? defaultTimeoutMs : toTimeoutMs(options.timeout, "timeout");
  const breaker = options.breaker === false ? undefined : createBreaker(options.breaker);
  if (onBreaker) breaker?.onChange((state) => onBreaker({ state, ...(breaker.cause && { cause: breaker.cause }) }));
  const sleep = createCancellableSleep();
  const ledger = createWriteLedger();
  const dispatch = dispatchThrough({
    name: transport.name,
    dispatch: dispatchOf(transport, throughHardDeadline(transport)),
    retries,
    breaker,
    reportFailure: breaker && dedupeFailures(breaker),
    sleep,
    ledger,
  });

  const guardedTransport: Transport = {
    name: transport.name,
    send: sendThrough(dispatch, ownTimeoutMs),
    async close() {
      sleep.end();
      await transport.close();
    },
  };
  const { subscribe, maxTopicBytes, hasCheapTrips, status } = transport;
  return registerDispatch(
    {
      ...guardedTransport,
      ...(subscribe && { subscribe: subscribe.bind(transport) }),
      ...(maxTopicBytes !== undefined && { maxTopicBytes }),
      ...(hasCheapTrips && { hasCheapTrips }),
      ...(status && { status }),
    },
    dispatch,
    { ledger },
  );
}

/** A transport of a third party may keep neither the deadline nor the signal. */
function throughHardDeadline(transport: Transport): Dispatch {
  const { name } = transport;
  return throughSend({
    name,
    send(commands, options) {
      const { timeoutMs = defaultTimeoutMs, signal } = options ?? {};
      return withHardDeadline(Promise.resolve(transport.send(commands, options)), name, { timeoutMs, signal });
    },
  });
}
