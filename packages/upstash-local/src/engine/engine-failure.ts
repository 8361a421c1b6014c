import { isTransportError, type TransportError } from "@continuum-cache/core";
import { RequestError } from "../errors/request-error.ts";

/** Answers HTTP 500 when the engine does not answer. @throws always. */
export function engineFailure(error: unknown): never {
  throw isTransportError(error) ? new RequestError(500, textOf(error)) : error;
}

/**
 * A state that Redis names (LOADING, READONLY…) keeps its name, so that clients recognize it. A password that Redis
 * refuses must not look like a token that this server refused.
 */
function textOf({ kind, message }: TransportError): string {
  const named = kind === "unreachable" && /^[A-Z]{4,} /.test(message);
  return named ? message : `ERR the engine behind upstash-local gave no answer (${kind}): ${message}`;
}
