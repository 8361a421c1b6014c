import type { Command, Reply, SendOptions, Transport } from "../ports/transport.ts";
import { answerSyncOf } from "../trips/round-trip.ts";
import type { BatchedCall, Batcher, BatcherOptions } from "./batched-call.ts";

/** Calls that are answered before they return, each a round trip of its own. */
export interface SyncCalls {
  /** @returns whether the call is answered. If not, nothing was sent. */
  send(commands: readonly Command[], options: SendOptions, call: BatchedCall): boolean;
  read: Batcher["readNow"];
  /** Has all that some synchronous work sends wait for the end of the tick. */
  collect: Batcher["collect"];
}

/**
 * Makes them for a transport that answers without waiting, as a memory does. Returns undefined for others.
 *
 * @param mayOvertake - Whether no call that was made before waits.
 */
export function createSyncCalls(
  transport: Transport,
  counts: BatcherOptions["counts"],
  mayOvertake: () => boolean,
): SyncCalls | undefined {
  const answerSync = answerSyncOf(transport);
  if (!answerSync) return undefined;

  let isCollecting = false;

  /** @throws TransportError as a batch fails. */
  const answer = (commands: readonly Command[], options: SendOptions): Reply[] | undefined => {
    const replies = !isCollecting && mayOvertake() ? answerSync(commands, options) : undefined;
    if (replies && counts) {
      counts.trips++;
      counts.commands += commands.length;
    }
    return replies;
  };

  return {
    send(commands, options, call) {
      const replies = answer(commands, options);
      if (replies) call.answered(replies, 0, "unknown");
      return replies !== undefined;
    },
    read(key, options, call) {
      const reply = answer([["MGET", key]], options)?.[0];
      if (reply === undefined) return false;
      call.answered(Array.isArray(reply) ? reply : [reply], 0, "none");
      return true;
    },
    collect(work) {
      isCollecting = true;
      try {
        return work();
      } finally {
        isCollecting = false;
      }
    },
  };
}
