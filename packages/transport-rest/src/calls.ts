import { type CallOptions, isTransportError, type TransportError, withDeadline } from "@continuum-cache/core";
import { restError, restName } from "./rest-error.ts";

/** What a call's work gets: the end of its time, and a way to say that something has left this process. */
export interface Call {
  /** Fires at the deadline, when the caller's signal does, and at `close()`. */
  readonly signal: AbortSignal;
  /** To be called before anything is sent. @throws TransportError when the call is over already. */
  leaves(): void;
}

/** The calls in flight: each ends by its deadline, and all of them at `close()`. */
export interface Calls {
  run<T>(options: CallOptions | undefined, work: (call: Call) => Promise<T>): Promise<T>;
  /** Calls the listener at `close()`, for what outlives its call: subscriptions. Returns the function that stops it. */
  onClose(listener: () => void): () => void;
  close(): void;
}

export const closedError = (delivery: "none" | "unknown"): TransportError =>
  restError("closed", "The transport was closed", { delivery });

export function createCalls(timeoutMs: number): Calls {
  let closed = false;
  const open = new Set<AbortController>();
  const onClose = new Set<() => void>();

  return {
    onClose(listener) {
      onClose.add(listener);
      return () => onClose.delete(listener);
    },
    async run(options, work) {
      if (closed) throw closedError("none");
      const caller = options?.signal;
      const controller = new AbortController();
      const onAbort = () => controller.abort(caller?.reason);
      if (caller?.aborted) onAbort();
      caller?.addEventListener("abort", onAbort, { once: true });
      open.add(controller);
      let left = false;
      try {
        const limits = { timeoutMs: options?.timeoutMs ?? timeoutMs, signal: controller.signal };
        return await withDeadline(restName, limits, (signal) =>
          work({
            signal,
            leaves() {
              signal.throwIfAborted();
              left = true;
            },
          }),
        );
      } catch (error) {
        const delivery = left ? "unknown" : "none";
        if (!isTransportError(error)) throw error;
        if (error.kind === "aborted" && closed && !caller?.aborted) throw closedError(delivery);
        if (left || error.delivery === "none") throw error;
        throw restError(error.kind, error.message, { delivery, cause: error.cause });
      } finally {
        open.delete(controller);
        caller?.removeEventListener("abort", onAbort);
      }
    },
    close() {
      closed = true;
      for (const controller of open) controller.abort();
      for (const listener of onClose) listener();
    },
  };
}
