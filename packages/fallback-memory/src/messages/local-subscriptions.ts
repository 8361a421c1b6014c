import {
  type CallOptions,
  type MessageListener,
  type Subscription,
  type Topics,
  type Transport,
  TransportError,
} from "@continuum-cache/core";
import { callListener } from "@continuum-cache/core/kit";

/**
 * Subscriptions to the local memory. They end when the primary is back, since from then on nothing is published
 * locally. Their messages are marked as `degraded`: they come from this process only.
 */
export interface LocalSubscriptions {
  add(
    local: Required<Pick<Transport, "subscribe">>,
    topics: Topics,
    listener: MessageListener,
    options?: CallOptions,
  ): Promise<Subscription>;
  /** Ends all subscriptions, and calls `interrupted` of their listeners. */
  interrupt(): void;
}

/** @param transport - The name of the primary, for the error that listeners get. */
export function createLocalSubscriptions(transport: string): LocalSubscriptions {
  const open = new Set<{ interrupt(): void }>();
  let returns = 0;
  const backError = (delivery: "none" | "unknown"): TransportError =>
    new TransportError("unreachable", "The primary is back: subscribe again to hear it", { transport, delivery });

  return {
    async add(local, topics, listener, options) {
      const begun = returns;
      const own = { interrupt: (): void => {} };
      let isBack = false;
      const subscription = await local.subscribe(
        topics,
        {
          message: (message) => listener.message({ ...message, degraded: true }),
          interrupted(error) {
            if (open.delete(own)) listener.interrupted(error);
          },
        },
        options,
      );
      own.interrupt = () => {
        if (!open.delete(own)) return;
        isBack = true;
        // The error of closing is ignored: the local stream is no longer used.
        subscription.close().catch(() => {});
        callListener(() => listener.interrupted(backError("unknown")));
      };
      open.add(own);
      // The primary may have come back during `subscribe`.
      if (returns !== begun) queueMicrotask(own.interrupt);
      const { add, remove } = subscription;
      return {
        degraded: true,
        ...(add && {
          async add(more, changeOptions) {
            if (isBack) throw backError("none");
            await add.call(subscription, more, changeOptions);
          },
        }),
        ...(remove && { remove: remove.bind(subscription) }),
        async close() {
          open.delete(own);
          await subscription.close();
        },
      };
    },
    interrupt() {
      returns++;
      for (const own of [...open]) own.interrupt();
    },
  };
}
