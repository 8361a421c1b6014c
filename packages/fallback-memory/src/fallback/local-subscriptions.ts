import {
  type CallOptions,
  type MessageListener,
  type Subscription,
  type Topics,
  type Transport,
  TransportError,
  tell,
} from "@continuum-cache/core";

/**
 * Subscriptions to the local backend, which end when the primary is back: from then on nothing is published locally. Their
 * messages are marked as heard within this process only.
 */
export interface LocalSubscriptions {
  add(
    local: Required<Pick<Transport, "subscribe">>,
    topics: Topics,
    listener: MessageListener,
    options?: CallOptions,
  ): Promise<Subscription>;
  /** Ends all of them, and tells their listeners. */
  interrupt(): void;
}

/** @param transport - The primary's name, for the error that listeners get. */
export function createLocalSubscriptions(transport: string): LocalSubscriptions {
  const open = new Set<{ interrupt(): void }>();
  let returns = 0;

  return {
    async add(local, topics, listener, options) {
      const begun = returns;
      const own = { interrupt: (): void => {} };
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
        // The local stream is of no more use, whether it ends well or not.
        subscription.close().catch(() => {});
        const error = new TransportError("unreachable", "The primary is back: subscribe again to hear it", {
          transport,
        });
        tell(() => listener.interrupted(error));
      };
      open.add(own);
      // The primary may have come back while this was under way.
      if (returns !== begun) queueMicrotask(own.interrupt);
      return {
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
