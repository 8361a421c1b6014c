import { brand, hasBrand } from "@continuum-cache/core/kit";

/**
 * The lease of a message was no longer held: it was not extended in time, and the message is somebody else's or done.
 * Nothing has happened by the call that rejects with it.
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

/** Whether something is a `LeaseLostError`, of whatever copy of this package. */
export function isLeaseLostError(error: unknown): error is LeaseLostError {
  return hasBrand(error, "LeaseLostError");
}
