import type { OnError } from "./on-error.ts";

/** What a rate limiter tells its listeners. No event ever holds an id. */
export interface RateLimiterEvents {
  /**
   * Redis did not do what it was asked for: it did not answer in time, refused, or cannot be reached from this
   * runtime. What was asked was decided as `onError` says.
   */
  error: { readonly operation: string; readonly error: Error };
  /** Others decide from now on: as `onError` says while Redis is away, and Redis again when it is back. */
  backend: { readonly from: "redis" | OnError; readonly to: "redis" | OnError; readonly reason: string };
}
