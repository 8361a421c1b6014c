interface Listeners {
  readonly calls: Set<{ readonly listener: () => void }>;
  readonly stop: () => void;
}

const listening = new WeakMap<AbortSignal, Listeners>();

/**
 * Calls the listener when a signal fires. Returns the function that stops it.
 *
 * All calls with the same signal share one event listener: with one for each, Node warns of a leak at the eleventh
 * call. For a signal that has fired already nothing is called: check `aborted` first.
 *
 * @example
 * ```ts
 * import { onAbort } from "@continuum-cache/core/kit";
 *
 * const controller = new AbortController();
 * const stop = onAbort(controller.signal, () => console.log("aborted"));
 * controller.abort(); // "aborted"
 * stop();
 * ```
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (!signal || signal.aborted) return () => {};
  const { calls, stop } = listening.get(signal) ?? listen(signal);
  const call = { listener };
  calls.add(call);
  return () => {
    if (calls.delete(call) && calls.size === 0) stop();
  };
}

function listen(signal: AbortSignal): Listeners {
  const calls: Listeners["calls"] = new Set();
  const notifyAll = (): void => {
    stop();
    for (const { listener } of [...calls]) listener();
  };
  const stop = (): void => {
    listening.delete(signal);
    signal.removeEventListener("abort", notifyAll);
  };
  const listeners = { calls, stop };
  listening.set(signal, listeners);
  signal.addEventListener("abort", notifyAll);
  return listeners;
}

/** A signal that fires when all of these have fired, and the function that stops listening to them. */
export function whenAllAbort(signals: readonly (AbortSignal | undefined)[]): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const look = (): void => {
    if (signals.every((signal) => signal?.aborted)) controller.abort();
  };
  const stops = signals.map((signal) => onAbort(signal, look));
  return {
    signal: controller.signal,
    stop() {
      for (const stop of stops) stop();
    },
  };
}
