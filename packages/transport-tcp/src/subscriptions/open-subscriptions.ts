import type { CallOptions, MessageListener, TransportError } from "@continuum-cache/core";
import { callListener, closedError } from "@continuum-cache/core/kit";
import { transportName } from "../tcp-error.ts";
import type { TcpSubscription } from "./tcp-subscriber.ts";

/** The subscriptions of a transport, which end with it. */
export interface OpenSubscriptions {
  /**
   * Opens one.
   *
   * @param open - Makes it. It calls back when the subscription is interrupted.
   * @throws TransportError what `open` throws; `closed` when the transport was closed meanwhile.
   */
  add(
    listener: MessageListener,
    open: (onInterrupted: () => void) => Promise<TcpSubscription>,
  ): Promise<TcpSubscription>;
  /** Ends all, and tells their listeners why: they may listen again. */
  interruptAll(error: TransportError): void;
  /** Ends all for good, and tells their listeners. */
  closeAll(): Promise<void>;
}

/** @param timeoutMs - How long a change may take that doesn't say so itself. */
export function createOpenSubscriptions(timeoutMs: number): OpenSubscriptions {
  const listeners = new Map<TcpSubscription, MessageListener>();
  const inTime = (options: CallOptions = {}): CallOptions => ({ timeoutMs, ...options });
  let isClosed = false;

  return {
    async add(listener, open) {
      let held: TcpSubscription | undefined;
      const subscription = await open(() => {
        if (held) listeners.delete(held);
      });
      const own: TcpSubscription = {
        add: (more, options) => subscription.add(more, inTime(options)),
        remove: (less, options) => subscription.remove(less, inTime(options)),
        interrupt: subscription.interrupt,
        async close() {
          listeners.delete(own);
          await subscription.close();
        },
      };
      held = own;
      listeners.set(own, listener);
      if (isClosed) {
        await own.close();
        throw closedError(transportName, "transport");
      }
      return own;
    },
    interruptAll(error) {
      for (const subscription of [...listeners.keys()]) subscription.interrupt(error);
    },
    async closeAll() {
      isClosed = true;
      const open = [...listeners];
      await Promise.all(open.map(([subscription]) => subscription.close()));
      for (const [, listener] of open)
        callListener(() => listener.interrupted(closedError(transportName, "transport", "unknown")));
    },
  };
}
