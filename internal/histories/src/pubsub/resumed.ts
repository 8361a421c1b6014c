import type { CloseRecord, DeliveryRecord, PubSubRecord } from "./record.ts";
import type { SubscriptionTask } from "./tasks.ts";

/** The subscriptions that a killed process had open: they have ended with it. */
export function endedWith(records: readonly PubSubRecord[], atMs: number): CloseRecord[] {
  const [opened, closed] = [subscribersIn(records, "open"), subscribersIn(records, "close")];
  return [...opened]
    .filter((subscriber) => !closed.has(subscriber))
    .map((subscriber) => ({ kind: "close", subscriber, atMs, isKilled: true }));
}

/**
 * The subscriptions with which another process goes on. Those with a history go on behind the last message that was
 * handed out; the others begin anew.
 *
 * @param nowMs - Since the beginning of the history.
 * @param generation - Makes the new subscriptions' names.
 */
export function resumed(
  subscriptions: readonly SubscriptionTask[],
  records: readonly PubSubRecord[],
  nowMs: number,
  generation: number,
): SubscriptionTask[] {
  const closed = subscribersIn(records, "close");
  return subscriptions
    .filter(({ subscriber }) => !closed.has(subscriber))
    .map((task) => {
      const { subscriber, options, openAfterMs, closeAfterMs, channels } = task;
      const last = records.findLast(
        (record): record is DeliveryRecord =>
          record.kind === "delivery" && record.subscriber === subscriber && record.position !== undefined,
      );
      const { after, ...plain } = options;
      const from = options.replay ? (last?.position ?? after) : undefined;
      const afterMs = last?.atMs ?? task.afterMs;
      return {
        subscriber: `${subscriber.split("~")[0]}~${generation}`,
        options: { ...plain, ...(from !== undefined && { after: from }) },
        channels,
        ...(options.replay && afterMs !== undefined && { afterMs }),
        openAfterMs: Math.max(0, openAfterMs - nowMs),
        ...(closeAfterMs !== undefined && { closeAfterMs: Math.max(1, closeAfterMs - nowMs) }),
      };
    });
}

const subscribersIn = (records: readonly PubSubRecord[], kind: "open" | "close"): Set<string> =>
  new Set(records.flatMap((record) => (record.kind === kind ? [record.subscriber] : [])));
