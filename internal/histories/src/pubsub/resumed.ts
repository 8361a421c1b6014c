import type { SubscriberPlan } from "./plan.ts";
import type { CloseRecord, DeliveryRecord, PubSubRecord } from "./record.ts";
import type { SubscriptionTask } from "./tasks.ts";

/** What a killed process leaves behind: its subscriptions have ended, and another process goes on with them. */
export interface Resumption {
  readonly ended: readonly CloseRecord[];
  readonly next: SubscriberPlan;
}

/**
 * Whoever reads a history goes on behind the last message that was handed out; the others begin anew.
 *
 * @param generation - Makes the new subscriptions' names.
 */
export function resumed(
  plan: SubscriberPlan,
  records: readonly PubSubRecord[],
  nowMs: number,
  generation: number,
): Resumption {
  const atMs = Date.now();
  const opened = new Set(records.flatMap((record) => (record.kind === "open" ? [record.subscriber] : [])));
  const closed = new Set(records.flatMap((record) => (record.kind === "close" ? [record.subscriber] : [])));
  const ended = [...opened]
    .filter((subscriber) => !closed.has(subscriber))
    .map((subscriber): CloseRecord => ({ kind: "close", subscriber, atMs, isKilled: true }));
  const goOn = (task: SubscriptionTask): SubscriptionTask => {
    const { subscriber, wish, openAfterMs, closeAfterMs, channels } = task;
    const last = records.findLast(
      (record): record is DeliveryRecord =>
        record.kind === "delivery" && record.subscriber === subscriber && record.position !== undefined,
    );
    const { after, ...plain } = wish;
    const from = wish.replay ? (last?.position ?? after) : undefined;
    const afterMs = last?.atMs ?? task.afterMs;
    return {
      subscriber: `${subscriber.split("~")[0]}~${generation}`,
      wish: { ...plain, ...(from !== undefined && { after: from }) },
      channels,
      ...(wish.replay && afterMs !== undefined && { afterMs }),
      openAfterMs: Math.max(0, openAfterMs - nowMs),
      ...(closeAfterMs !== undefined && { closeAfterMs: Math.max(1, closeAfterMs - nowMs) }),
    };
  };
  const subscriptions = plan.subscriptions.filter(({ subscriber }) => !closed.has(subscriber)).map(goOn);
  return { ended, next: { ...plan, subscriptions } };
}
