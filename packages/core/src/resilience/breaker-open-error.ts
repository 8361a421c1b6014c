import { TransportError, type TransportErrorKind } from "../errors/transport-error.ts";
import type { Breaker } from "./breaker.ts";

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
