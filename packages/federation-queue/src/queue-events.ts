import type { DeathReason } from "./dead-letter.ts";

/** What a queue tells its listeners. No event ever holds a message's content. */
export interface QueueEvents {
  /** Something went wrong that no caller was told of; `id`: with this message. */
  error: { readonly operation: string; readonly error: Error; readonly id?: string };
  /**
   * A handler of `consume` threw, or its promise rejected, in this attempt (from 1). The message is given out again after
   * `backoff`, or is dead after `maxAttempts`, unless the handler has settled its lease itself.
   */
  failed: { readonly id: string; readonly attempt: number; readonly error: Error };
  /** A message was given up by this process. */
  dead: { readonly id: string; readonly reason: DeathReason };
  /** Messages were given out again whose leases had ended. */
  recovered: { readonly count: number };
  /** A push waits in this process until Redis is back. */
  kept: { readonly id: string; readonly pending: number };
  /** A failover had lost pushes that Redis had accepted; they were pushed again. */
  repaired: { readonly count: number };
}
