/**
 * Calls a listener that user code has registered. If it throws, the runtime reports the error as an uncaught
 * exception, and the caller goes on.
 *
 * @example
 * ```ts
 * import { type MessageListener } from "@continuum-cache/core";
 * import { callListener } from "@continuum-cache/core/kit";
 *
 * function deliver(listener: MessageListener): void {
 *   callListener(() => listener.message({ channel: "news", data: "hello" }));
 * }
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
