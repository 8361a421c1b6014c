import type { Command, Reply } from "@continuum-cache/core";
import { unwrap } from "@continuum-cache/core/kit";
import type { PrimaryCallOptions, PrimaryClient } from "../../shared/primary-client.ts";
import { delayedMember, type PendingPush } from "../pending-push.ts";
import type { QueueKeys } from "../queue-keys.ts";
import type { Sender } from "../sender.ts";
import type { RecentPush, RecentPushes } from "./recent-pushes.ts";

/** A failover loses the end: if a whole page of pushes is there, the earlier ones are too. */
const page = 50;

/**
 * Looks up recent pushes in Redis, and pushes the missing ones again, under their own ids: those that were accepted
 * since `sinceMs`, the latest first. Pushes accepted after `trustedMs` may have gone to the new server, after the loss:
 * it ends with the first complete page of pushes that are older than that.
 *
 * @throws TransportError or CommandError when Redis does not answer or refuses; what was found until then is pushed
 *   again.
 */
export type LossCheck = (sinceMs: number, trustedMs: number, options: () => PrimaryCallOptions) => Promise<void>;

/** @param onRepaired - Called with how many pushes were lost, and are in Redis again. */
export function createLossCheck(
  client: PrimaryClient,
  keys: QueueKeys,
  sender: Sender,
  recent: RecentPushes,
  onRepaired: (count: number) => void,
): LossCheck {
  /** @returns how many of them were lost. */
  const checkPage = async (batch: readonly RecentPush[], options: () => PrimaryCallOptions): Promise<number> => {
    const replies = await client.send(
      batch.map((one) => lookup(one, keys)),
      options(),
    );
    // A message that was done in the meantime is not missing.
    const lost = batch.filter((one, at) => !isThere(one, unwrap(replies[at])) && !recent.isForgotten(one));
    if (lost.length === 0) return 0;
    const outcomes = await sender.send(lost.map(repeatedPush), options());
    for (const outcome of outcomes) if (outcome.kind === "refused") throw outcome.error;
    return outcomes.filter((outcome) => outcome.kind === "pushed" && !outcome.wasThere).length;
  };

  return async (sinceMs, trustedMs, options) => {
    const suspects = recent.since(sinceMs);
    let count = 0;
    try {
      for (let at = 0; at < suspects.length; at += page) {
        const batch = suspects.slice(at, at + page);
        const lost = await checkPage(batch, options);
        count += lost;
        const oldest = batch.at(-1);
        if (lost === 0 && oldest && oldest.atMs < trustedMs) break;
      }
    } finally {
      if (count > 0) onRepaired(count);
    }
  };
}

/** A marker stands for its message: the script writes both in one step. */
function lookup({ push, entryId }: RecentPush, keys: QueueKeys): Command {
  if (push.isUnique) return ["GET", keys.marker(push.id)];
  if (push.delayMs > 0) return ["ZSCORE", keys.delayed, delayedMember(push)];
  return ["XRANGE", push.stream.key, entryId, entryId];
}

const isThere = ({ push }: RecentPush, reply: Reply): boolean =>
  push.isUnique ? reply === push.nonce : reply !== null && !(Array.isArray(reply) && reply.length === 0);

/**
 * The same push, due at the same time. A delayed one that is overdue may be in its stream: the script searches there.
 */
function repeatedPush({ push, atMs }: RecentPush): PendingPush {
  const dueMs = atMs + push.delayMs;
  const delayMs = Math.round(dueMs - performance.now());
  if (push.delayMs === 0 || delayMs > 0) return { ...push, delayMs: Math.max(0, delayMs) };
  return { ...push, delayMs: 0, uncertain: { atMs: dueMs, afterMs: 0 } };
}
