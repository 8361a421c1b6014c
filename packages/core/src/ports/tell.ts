/**
 * Calls a listener that belongs to somebody else. One that throws is its owner's bug: the runtime reports it, as an
 * uncaught exception, and whatever told it goes on.
 *
 * @example
 * ```ts
 * import { type MessageListener, tell } from "@continuum-cache/core";
 *
 * const deliver = (listener: MessageListener) => tell(() => listener.message({ channel: "news", data: "hello" }));
 * ```
 */
export function tell(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
