import { isTransportError, TransportError } from "../errors/transport-error.ts";
import type { Transport } from "../ports/transport.ts";
import { type Duration, toTimeoutMs } from "../time/duration.ts";
import { defaultTimeoutMs } from "../time/with-deadline.ts";
import { backoffMs, mayRetry } from "./retry.ts";

/** How hard to try. */
export interface GuardOptions {
  /** How long one call may take, all attempts together. @default "5s" */
  readonly timeout?: Duration;
  /** How many more attempts after the first, when the server was unreachable and a repetition is harmless. @default 3 */
  readonly retries?: number;
}

/**
 * Puts a deadline and harmless retries around any transport. A trip is repeated only when it surely never left, or when
 * the command table says that each of its commands may arrive twice; waiting and all attempts share one deadline.
 *
 * @throws RangeError when an option is out of its range.
 *
 * @example
 * ```ts
 * import { guarded, type Transport } from "@continuum-cache/core";
 *
 * const steady = (transport: Transport) => guarded(transport, { timeout: "2s", retries: 2 });
 * ```
 */
export function guarded(transport: Transport, options: GuardOptions = {}): Transport {
  const { retries = 3 } = options;
  const ownTimeoutMs = options.timeout === undefined ? defaultTimeoutMs : toTimeoutMs(options.timeout, "timeout");
  if (!Number.isSafeInteger(retries) || retries < 0) {
    throw new RangeError(`Expected \`retries\` to be a whole number of at least 0, got ${String(retries)}`);
  }
  const closing = new AbortController();

  const send: Transport["send"] = async (commands, sendOptions) => {
    const endsAt = performance.now() + (sendOptions?.timeoutMs ?? ownTimeoutMs);
    for (let attempt = 0; ; attempt++) {
      const timeoutMs = Math.max(1, Math.ceil(endsAt - performance.now()));
      try {
        return await transport.send(commands, { ...sendOptions, timeoutMs });
      } catch (error) {
        const pauseMs = backoffMs(attempt);
        const again =
          attempt < retries &&
          isTransportError(error) &&
          mayRetry(error, commands) &&
          performance.now() + pauseMs < endsAt;
        if (!again) throw error;
        if (!(await pause(pauseMs, [closing.signal, sendOptions?.signal]))) throw stopped(closing.signal, error);
      }
    }
  };

  const guardedTransport: Transport = {
    name: transport.name,
    send,
    async close() {
      closing.abort();
      await transport.close();
    },
  };
  const { subscribe, status } = transport;
  return {
    ...guardedTransport,
    ...(subscribe && { subscribe: subscribe.bind(transport) }),
    ...(status && { status }),
  };
}

const stopped = (closing: AbortSignal, cause: TransportError): TransportError =>
  new TransportError(closing.aborted ? "closed" : "aborted", "The call ended while it waited to be sent again", {
    transport: cause.transport,
    delivery: cause.delivery,
    cause,
  });

/** Waits, unless one of the signals fires first; tells whether it waited to the end. */
async function pause(ms: number, signals: readonly (AbortSignal | undefined)[]): Promise<boolean> {
  if (signals.some((signal) => signal?.aborted)) return false;
  let end: (waited: boolean) => void = () => {};
  const ended = new Promise<boolean>((resolve) => {
    end = resolve;
  });
  const timer = setTimeout(end, ms, true);
  const onAbort = () => end(false);
  for (const signal of signals) signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await ended;
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal?.removeEventListener("abort", onAbort);
  }
}
