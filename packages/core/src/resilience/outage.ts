import { isTransportError, type TransportError } from "../errors/transport-error.ts";
import type { Breaker, BreakerPermit } from "./breaker.ts";

/**
 * Tells whether an error speaks against the server and not against the call: then another backend may answer in its
 * place, and a breaker counts it. True for `unreachable`, `timeout`, `quota`, `unauthorized`, and for `protocol` when
 * something came back that was no answer. False for what the caller did (`aborted`, `closed`, `too-large`, a command
 * that this backend can't carry), for a call that only waited for its turn in this process (`queued`), and for
 * everything that Redis answered.
 *
 * @example
 * ```ts
 * import { type Reply, type Transport } from "@continuum-cache/core";
 * import { isOutage } from "@continuum-cache/core/kit";
 *
 * async function firstOf(primary: Transport, spare: Transport, key: string): Promise<Reply | undefined> {
 *   const replies = await primary.send([["GET", key]]).catch((error: unknown) => {
 *     if (!isOutage(error)) throw error;
 *     return spare.send([["GET", key]]);
 *   });
 *   return replies[0];
 * }
 * ```
 */
export function isOutage(error: unknown): error is TransportError {
  if (!isTransportError(error)) return false;
  switch (error.kind) {
    case "timeout":
      return error.queued !== true;
    case "unreachable":
    case "quota":
    case "unauthorized":
      return true;
    case "protocol":
      // A command that this backend can't carry never left; garbage came back from somewhere.
      return error.delivery === "unknown";
    default:
      return false;
  }
}

/**
 * Tells whether another try may bring the answer that did not come: after an outage, or for a call whose turn did not
 * come in time (`queued`), which speaks against nothing.
 *
 * @example
 * ```ts
 * import { type Transport } from "@continuum-cache/core";
 * import { isUnanswered } from "@continuum-cache/core/kit";
 *
 * async function tellLater(transport: Transport, waiting: string[]): Promise<void> {
 *   await transport.send([["RPUSH", "log", ...waiting]]).catch((error: unknown) => {
 *     if (!isUnanswered(error)) throw error; // else it waits for the next try
 *   });
 * }
 * ```
 */
export function isUnanswered(error: unknown): error is TransportError {
  return isOutage(error) || (isTransportError(error) && error.queued === true);
}

/**
 * Whether the server itself refuses all calls. One such answer opens a breaker: it is proof, where a timeout is a
 * hint.
 */
export function isRefusal(error: TransportError): boolean {
  return error.kind === "quota" || error.kind === "unauthorized";
}

/**
 * All trips in flight on a connection fail when it breaks: that counts as one failure, and the retries find out
 * whether it is over. A trip that took at least this long counts in any case, so that other callers need not wait as
 * long.
 */
const duplicateMs = 1_000;

/**
 * Makes the function that reports failed attempts to a breaker. Attempts that one broken connection has failed
 * together count as one failure. It takes the error, the permit of the attempt, and when the attempt started (by
 * `performance.now()`).
 */
export function dedupeFailures(breaker: Breaker): (error: unknown, permit: BreakerPermit, startedAt: number) => void {
  let countedAt = Number.NEGATIVE_INFINITY;

  return (error, permit, startedAt) => {
    if (!isOutage(error)) {
      breaker.release(permit);
      return;
    }
    const now = performance.now();
    const isDuplicate = error.kind === "unreachable" && startedAt < countedAt && now - startedAt < duplicateMs;
    if (isDuplicate && permit === "call") {
      breaker.release(permit);
      return;
    }
    countedAt = now;
    breaker.failed(error, permit);
  };
}
