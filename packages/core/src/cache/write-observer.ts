import type { Command, Reply, SendOptions } from "../ports/transport.ts";

/**
 * Told of what a call has written, once Redis has answered it: the commands as they were sent, reads among them, each with
 * its reply, and what the call had asked for. The call waits for the promise, and rejects when that does.
 *
 * A run of `deletePattern` is told trip by trip, from the first SCAN on, each with its `invalidates`. What `getOrSet` loads and stores is not told: it
 * is no write of a caller's.
 */
export type WriteObserver = (
  commands: readonly Command[],
  replies: readonly Reply[],
  options: SendOptions,
) => Promise<void>;
