import {
  type CallOptions,
  createExpiringSet,
  isTransportError,
  longestTimerMs,
  onAbort,
  type TransportError,
  withDeadline,
} from "@continuum-cache/core";
import { restError, restName } from "./rest-error.ts";

/** What a call's work gets: the end of its time, and a way to say that something has left this process. */
export interface Call {
  /** Fires at the deadline, when the caller's signal does, and at `close()`. */
  readonly signal: AbortSignal;
  /** Waits behind earlier calls. @throws TransportError when there is no time left then. */
  queue(turn: Promise<boolean>): Promise<void>;
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

/** With less time than this a request could tell nothing but that time was up. */
const leastAttemptMs = 10;
/** A call that has not ended so long after its deadline has vanished. */
const graceMs = 100;

const queuedError = (timeoutMs: number, delivery: "none" | "unknown"): TransportError =>
  restError(
    "timeout",
    `The call waited too long behind earlier calls for the same keys to be answered within ${timeoutMs} ms (raise \`timeout\`)`,
    { delivery, queued: true },
  );

export function createCalls(timeoutMs: number): Calls {
  let closed = false;
  const open = createExpiringSet<AbortController>();
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
      const end = () => controller.abort(caller?.reason);
      if (caller?.aborted) end();
      const stopHearing = onAbort(caller, end);
      const limits = { timeoutMs: options?.timeoutMs ?? timeoutMs, signal: controller.signal };
      open.add(controller, Math.min(limits.timeoutMs, longestTimerMs) + graceMs);
      const startedMs = performance.now();
      let left = false;
      let queuedMs = 0;
      try {
        return await withDeadline(restName, limits, (signal) =>
          work({
            signal,
            async queue(turn) {
              queuedMs = Number.POSITIVE_INFINITY;
              await turn;
              queuedMs = performance.now() - startedMs;
              if (limits.timeoutMs - queuedMs < leastAttemptMs) throw queuedError(limits.timeoutMs, "none");
            },
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
        // Where waiting took most of the time, the rest was too little to tell anything of the server.
        if (error.kind === "timeout" && 2 * queuedMs > limits.timeoutMs) throw queuedError(limits.timeoutMs, delivery);
        if (left || error.delivery === "none") throw error;
        throw restError(error.kind, error.message, { delivery, cause: error.cause });
      } finally {
        open.delete(controller);
        stopHearing();
      }
    },
    close() {
      closed = true;
      for (const controller of open) controller.abort();
      for (const listener of onClose) listener();
    },
  };
}
