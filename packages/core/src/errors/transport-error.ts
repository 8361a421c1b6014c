import { brand, hasBrand } from "./brand.ts";
import { redact } from "./quoted.ts";

/**
 * Why no answer came, which says what may follow:
 *
 * - `unreachable`: no connection, or it broke. Local answers are right meanwhile.
 * - `timeout`: the deadline passed.
 * - `unauthorized`: token, password or permissions are wrong, until a person fixes them.
 * - `quota`: a limit of the plan, or HTTP 429; see `retryAfterMs`.
 * - `too-large`: the request or its answer is over the plan's size limit.
 * - `protocol`: an answer came that is none (HTML, truncated JSON), or the backend can't carry this command.
 * - `closed`: the transport was closed.
 * - `aborted`: the caller's signal ended it.
 */
export type TransportErrorKind =
  | "unreachable"
  | "timeout"
  | "unauthorized"
  | "quota"
  | "too-large"
  | "protocol"
  | "closed"
  | "aborted";

/** What is known besides the kind. */
export interface TransportErrorDetails {
  /** The transport's name. */
  readonly transport: string;
  /** `"none"` when the commands surely never left this process; `"unknown"` (the default) when they may have run. */
  readonly delivery?: "none" | "unknown";
  /**
   * How long the server asked to be left alone, in milliseconds. At most an hour of it is kept; what is no time, or
   * is over a day, is a mistake of the server and is left out.
   */
  readonly retryAfterMs?: number;
  /**
   * The call's time went by while it waited for its turn in this process: that says nothing about the server. @default
   * false
   */
  readonly queued?: boolean;
  readonly cause?: unknown;
}

/**
 * No answer came. The message says what to fix and never holds a token, a password or a stored value.
 *
 * @example
 * ```ts
 * import { isTransportError, type Transport } from "@continuum-cache/core";
 *
 * async function isAway(transport: Transport): Promise<boolean> {
 *   return transport.send([["PING"]]).then(
 *     () => false,
 *     (error) => isTransportError(error) && error.kind === "unreachable",
 *   );
 * }
 * ```
 */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly kind: TransportErrorKind;
  readonly transport: string;
  readonly delivery: "none" | "unknown";
  readonly retryAfterMs?: number;
  readonly queued?: true;

  constructor(kind: TransportErrorKind, message: string, details: TransportErrorDetails) {
    super(redact(message), details.cause === undefined ? undefined : { cause: details.cause });
    brand(this, "TransportError");
    this.kind = kind;
    this.transport = details.transport;
    this.delivery = details.delivery ?? "unknown";
    const retryAfterMs = believableWaitMs(details.retryAfterMs);
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
    if (details.queued) this.queued = true;
  }
}

const longestWaitMs = 3_600_000;
const longestBelievableWaitMs = 24 * longestWaitMs;

/** A wait that a server asked for, as far as it makes sense: one bad header must not keep a process away for years. */
export function believableWaitMs(askedMs: number | undefined): number | undefined {
  if (askedMs === undefined || !(askedMs >= 0 && askedMs <= longestBelievableWaitMs)) return undefined;
  return Math.min(askedMs, longestWaitMs);
}

/** Tells a `TransportError` also when it comes from another copy of this package. */
export function isTransportError(value: unknown): value is TransportError {
  return hasBrand(value, "TransportError");
}
