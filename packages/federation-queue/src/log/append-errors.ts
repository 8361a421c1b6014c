import { isCommandError, isTransportError, TransportError } from "@continuum-cache/core";

/** Refusals that say nothing against the event: Redis may take it later. */
export const isPassing = (error: unknown): boolean =>
  isCommandError(error) &&
  ["OOM", "MISCONF", "BUSY", "NOREPLICAS", "READONLY", "LOADING", "MASTERDOWN", "UNKILLABLE"].includes(error.code);

export const isTooLarge = (error: unknown): boolean => isTransportError(error) && error.kind === "too-large";

export const fullError = (transport: string, cause: unknown): TransportError =>
  new TransportError(
    isTransportError(cause) ? cause.kind : "unreachable",
    "Redis does not answer, and there is no room for more to wait for it: try again later, or raise `outbox`",
    { transport, delivery: "none", cause },
  );

export const timeoutError = (transport: string, timeoutMs: number): TransportError =>
  new TransportError("timeout", `No answer within ${timeoutMs} ms`, { transport });

export const abortedError = (transport: string): TransportError =>
  new TransportError("aborted", "The append was aborted", { transport, delivery: "none" });

export const closedError = (transport: string): TransportError =>
  new TransportError("closed", "The log was closed", { transport, delivery: "none" });

export const blockedError = (origin: string, lastId: string): Error =>
  new Error(
    `The stream of "${origin}" ends with the entry ${lastId.slice(0, 50)}, which no log has written, and Redis takes nothing behind it: ` +
      "delete that stream, or choose another `instanceId`",
  );
