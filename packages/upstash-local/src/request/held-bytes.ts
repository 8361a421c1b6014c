import { RequestError } from "../errors/request-error.ts";
import { tooMuchHeld } from "../protocol/service-texts.ts";

/**
 * What the requests under way may take of this process's memory together: their bodies, and the replies on their way
 * out.
 */
export interface HeldBytes {
  /** Opens the account of one request. `release` gives everything back, and may be called twice. */
  open(): Holder;
}

/** The account of one request. */
export interface Holder {
  /** @throws RequestError 503 when all requests together hold too much. */
  take(bytes: number): void;
  release(): void;
}

export function createHeldBytes(maxBytes: number): HeldBytes {
  let held = 0;
  return {
    open() {
      let own = 0;
      return {
        take(bytes) {
          if (held + bytes > maxBytes) throw new RequestError(503, tooMuchHeld, { "retry-after": "1" });
          held += bytes;
          own += bytes;
        },
        release() {
          held -= own;
          own = 0;
        },
      };
    },
  };
}
