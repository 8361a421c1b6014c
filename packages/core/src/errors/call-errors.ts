import { TransportError } from "./transport-error.ts";

/**
 * The error of a call that was made on something closed, or was waiting when it was closed.
 *
 * @param transport - The transport's name.
 * @param what - What was closed, for the message.
 * @param delivery - Whether the call's commands may have reached the server.
 *
 * @example
 * ```ts
 * import { closedError } from "@continuum-cache/core/kit";
 *
 * closedError("tcp", "queue").message; // "The queue was closed: make another one to go on"
 * ```
 */
export const closedError = (transport: string, what: string, delivery: "none" | "unknown" = "none"): TransportError =>
  new TransportError("closed", `The ${what} was closed: make another one to go on`, { transport, delivery });

/**
 * The error of a call whose signal has fired. Its `cause` is the signal's reason.
 *
 * @param transport - The transport's name.
 * @param delivery - Whether the call's commands may have reached the server.
 *
 * @example
 * ```ts
 * import { abortedError } from "@continuum-cache/core/kit";
 *
 * const signal = AbortSignal.abort("the user left");
 * abortedError("tcp", signal).cause; // "the user left"
 * ```
 */
export const abortedError = (
  transport: string,
  signal: AbortSignal | undefined,
  delivery: "none" | "unknown" = "none",
): TransportError =>
  new TransportError("aborted", "The call was aborted by its signal", { transport, delivery, cause: signal?.reason });
