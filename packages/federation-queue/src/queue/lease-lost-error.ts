import { brand, hasBrand } from "@continuum-cache/core/kit";

/**
 * The lease of a message has ended: it was not extended in time, so another worker has the message, or the message is
 * done. The call that rejects with this error has changed nothing.
 */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
  /** The message's id. */
  readonly id: string;

  constructor(operation: string, id: string) {
    super(
      `Expected the lease of message "${id}" to be held still, but it has ended: \`${operation}\` was refused. ` +
        "Extend leases in time, or choose a longer `visibilityTimeout`",
    );
    brand(this, "LeaseLostError");
    this.id = id;
  }
}

/** Whether something is a `LeaseLostError`, of any copy of this package. */
export function isLeaseLostError(error: unknown): error is LeaseLostError {
  return hasBrand(error, "LeaseLostError");
}
