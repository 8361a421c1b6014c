import type { DeathReason } from "./dead-letter.ts";

/** What a queue tells whoever listens. No event ever holds a message's content. */
export interface QueueEvents {
  /** Something went wrong that no caller was told of. */
  error: { readonly operation: string; readonly error: Error };
  /** A message was given up by this process. */
  dead: { readonly id: string; readonly reason: DeathReason };
  /** Messages were given out again whose leases had ended. */
  recovered: { readonly count: number };
  /** A push waits in this process until Redis is back. */
  kept: { readonly id: string; readonly pending: number };
  /** A failover had lost pushes that Redis had accepted; they were pushed again. */
  repaired: { readonly count: number };
}
