import type { OnError } from "./on-error.ts";

/** What a rate limiter tells whoever listens. No event ever holds an id. */
export interface RateLimiterEvents {
  /** Something went wrong that no caller was told of: what was asked was decided as `onError` says. */
  error: { readonly operation: string; readonly error: Error };
  /** Others decide from now on: as `onError` says while Redis is away, and Redis again when it is back. */
  backend: { readonly from: "redis" | OnError; readonly to: "redis" | OnError; readonly reason: string };
}
