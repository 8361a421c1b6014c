import type { LogGap } from "./log-entry.ts";

/** What a log tells whoever listens. No event ever holds a logged event's content. */
export interface LogEvents {
  /** Something went wrong that no caller was told of. */
  error: { readonly operation: string; readonly error: Error };
  /** Events were missed, how many, and why. */
  gap: LogGap;
  /** An append waits in this process until Redis is back, or the name is free. */
  kept: { readonly pending: number };
  /** A failover had lost events that Redis had accepted; they were appended again. `lost`: no longer remembered here. */
  repaired: { readonly count: number; readonly lost: number };
  /** The history of an origin was lost (a flush, a failover without its end) and nobody could repair it. */
  reset: { readonly origin: string };
}
