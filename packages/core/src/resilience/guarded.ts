import { createSentTrips, type SentTrip } from "../commands/sent-trips.ts";
import { isTransportError, TransportError } from "../errors/transport-error.ts";
import type { Command, Reply, SendOptions, Transport } from "../ports/transport.ts";
import { assertOptions, functionOption, type KnownOptions, wholeNumberOption } from "../settings/options.ts";
import { type Duration, toTimeoutMs } from "../time/duration.ts";
import { defaultTimeoutMs } from "../time/with-deadline.ts";
import { backstop } from "./backstop.ts";
import { type Breaker, createBreaker } from "./breaker.ts";
import { breakerOpenError } from "./breaker-open-error.ts";
import type { BreakerOptions } from "./breaker-options.ts";
import { noBreaker } from "./no-breaker.ts";
import { createOutageReport } from "./outage-report.ts";
import { createPauses } from "./pauses.ts";
import { backoffMs, isOvertaken, mayRetry } from "./retry.ts";

/** How hard to try, and when to stop trying. */
export interface GuardOptions {
  /** How long one call may take, all attempts together. @default "5s" */
  readonly timeout?: Duration;
  /** How many more attempts after the first, when the server was unreachable and a repetition is harmless. @default 3 */
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
 * Every trip settles by its deadline (20 ms later at the latest, if the transport doesn't keep it itself). It is repeated
 * only when it surely never left, or when the command table says that it may arrive twice, and never once a later trip has
 * written the same keys; waiting and all attempts share one deadline. A server that asks for more patience than is left (`retryAfterMs`) ends the call at
 * once.
 *
 * Each attempt counts for the breaker by itself, but trips that one broken connection takes down together count as one
 * failure. While it is open every call rejects at once, with an error of the kind that opened it: `delivery` is `"none"`,
 * `retryAfterMs` what is left of the wait, `cause` the failure. Retries do not go on then: the call ends with the failure
 * of its last attempt. A subscription is made without asking the breaker.
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
  const breaker = options.breaker === false ? noBreaker : createBreaker(options.breaker);
  if (onBreaker) breaker.onChange((state) => onBreaker({ state, ...(breaker.cause && { cause: breaker.cause }) }));
  const report = createOutageReport(breaker);
  const pauses = createPauses();
  const sent = createSentTrips();

  const send: Transport["send"] = async (commands, sendOptions) => {
    // An empty trip goes nowhere, so nothing can be learnt from it.
    if (commands.length === 0) return transport.send(commands, sendOptions);
    const timeoutMs = sendOptions?.timeoutMs ?? ownTimeoutMs;
    const trip = sent.enter(commands, sendOptions?.invalidates, timeoutMs + graceMs);
    try {
      const replies = await sendUntilAnswered(trip, commands, sendOptions);
      trip.succeeded();
      return replies;
    } catch (error) {
      trip.failed();
      throw error;
    }
  };

  const sendUntilAnswered = async (
    trip: SentTrip,
    commands: readonly Command[],
    sendOptions: SendOptions | undefined,
  ): Promise<Reply[]> => {
    const signal = sendOptions?.signal;
    const isWanted = (): boolean => sendOptions?.isWanted?.() ?? true;
    let startedAt = performance.now();
    const endsAt = startedAt + (sendOptions?.timeoutMs ?? ownTimeoutMs);
    let failure: TransportError | undefined;
    for (let attempt = 0; ; attempt++) {
      const leave = breaker.enter(endsAt - startedAt + graceMs);
      if (!leave) throw failure ?? stopped(signal) ?? breakerOpenError(transport.name, breaker);
      let pauseMs: number;
      try {
        const timeoutMs = Math.max(1, Math.ceil(endsAt - startedAt));
        const answer = transport.send(commands, { ...sendOptions, timeoutMs });
        const replies = await backstop(answer, transport.name, { timeoutMs, signal });
        breaker.succeeded(leave);
        return replies;
      } catch (error) {
        report(error, leave, startedAt);
        if (!isTransportError(error)) throw error;
        failure = afterwards(error, failure);
        pauseMs = Math.max(backoffMs(attempt), error.retryAfterMs ?? 0);
        const again =
          attempt < retries &&
          mayRetry(error, commands) &&
          isWanted() &&
          breaker.state === "closed" &&
          performance.now() + pauseMs + leastAttemptMs < endsAt;
        if (!again) throw failure;
      }
      const waited = await pauses.wait(pauseMs, signal);
      if (!waited) throw stopped(signal, failure) ?? failure;
      // Too late for another attempt is no timeout of the server's.
      if (performance.now() + leastAttemptMs > endsAt) throw failure;
      if (!isWanted()) throw failure;
      // What was sent meanwhile to the same keys would be undone.
      if (isOvertaken(commands, trip.writtenSince())) throw failure;
      startedAt = performance.now();
    }
  };

  /** What a call gets that was closed or aborted while it was not under way. */
  const stopped = (signal: AbortSignal | undefined, failure?: TransportError): TransportError | undefined => {
    if (!pauses.isEnded && !signal?.aborted) return undefined;
    return new TransportError(pauses.isEnded ? "closed" : "aborted", "The call ended while it waited to be sent", {
      transport: transport.name,
      delivery: failure?.delivery ?? "none",
      cause: failure ?? signal?.reason,
    });
  };

  const guardedTransport: Transport = {
    name: transport.name,
    send,
    async close() {
      pauses.end();
      await transport.close();
    },
  };
  const { subscribe, maxTopicBytes, status } = transport;
  return {
    ...guardedTransport,
    ...(subscribe && { subscribe: subscribe.bind(transport) }),
    ...(maxTopicBytes !== undefined && { maxTopicBytes }),
    ...(status && { status }),
  };
}

/** A call that has not ended so long after its deadline has vanished. */
const graceMs = 100;

/** With less time than this another attempt would tell nothing but that time was up. */
const leastAttemptMs = 10;

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
