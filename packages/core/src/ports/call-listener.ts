/**
 * Calls a listener that belongs to somebody else. One that throws is its owner's bug: the runtime reports it, as an
 * uncaught exception, and whatever told it goes on.
 *
 * @example
 * ```ts
 * import { type MessageListener } from "@continuum-cache/core";
 * import { callListener } from "@continuum-cache/core/kit";
 *
 * const deliver = (listener: MessageListener) => callListener(() => listener.message({ channel: "news", data: "hello" }));
 * ```
 */
export function callListener(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
