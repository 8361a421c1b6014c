import {
  type Clock,
  type Command,
  type Duration,
  defaultTimeoutMs,
  isTransportError,
  type Reply,
  type SendOptions,
  systemClock,
  type Transport,
  type TransportError,
  toMs,
} from "@continuum-cache/core";
import { createBackendSwitch } from "./backend-switch.ts";
import { createLocalSubscriptions } from "./local-subscriptions.ts";

/** When to look whether the primary is back. */
export interface FallbackOptions {
  /**
   * How long to leave the primary alone before it is asked again, counted from its last failure. A server that names a
   * longer time itself (`retryAfterMs`) is left alone for that. @default "30s"
   */
  readonly healthCheckInterval?: Duration;
  /** What time it is. @default systemClock */
  readonly clock?: Clock;
}

/**
 * Lets a local transport answer while the primary can't. A trip that the primary leaves without an answer is answered by
 * `local`, and so are all that follow, until a PING gets through to the primary again; one at a time is tried, at most
 * one per interval, and on the edge only when somebody calls.
 *
 * In this form what `local` accepts stays local: on the way back it is emptied, and the mutations that `status.pending`
 * counts are dropped; `status.onChange` tells how many. A write whose fate at the primary is unknown (a lost reply, a
 * timeout) is done again locally, and may have been done there too. Trips under way while the backend changes may take
 * effect in another order than they were sent. Whoever must not have any of that sends with `fallback: false`: the
 * primary answers, or the call rejects.
 *
 * Errors that are the caller's (`aborted`, `closed`, `too-large`, a command that the primary can't carry) reject as ever.
 * A subscription made while local hears this process only, and is interrupted when the primary is back.
 *
 * @param primary - The transport that should answer.
 * @param local - The one that stands in, usually `memoryTransport()`; it is emptied and closed with this one.
 * @throws RangeError when an option is out of its range.
 *
 * @example
 * ```ts
 * import type { Transport } from "@continuum-cache/core";
 * import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
 *
 * function steady(primary: Transport): Transport {
 *   const transport = withFallback(primary, memoryTransport({ maxBytes: 8 << 20 }), { healthCheckInterval: "10s" });
 *   transport.status?.onChange(({ to, reason }) => console.warn(`answers come from ${to}: ${reason}`));
 *   return transport;
 * }
 * ```
 */
export function withFallback(primary: Transport, local: Transport, options: FallbackOptions = {}): Transport {
  const { clock = systemClock } = options;
  const intervalMs = toMs(options.healthCheckInterval ?? "30s", "healthCheckInterval");
  const listening = createLocalSubscriptions(primary.name);

  const backend = createBackendSwitch({
    clock,
    intervalMs,
    ping: () => primary.send([["PING"]], { timeoutMs: defaultTimeoutMs, fallback: false }),
    onReturn() {
      listening.interrupt();
      // Later outages must not find what this one left behind. Only a closed transport refuses, and answers nothing more.
      local.send([["FLUSHDB"]]).catch(() => {});
    },
  });

  const answerLocally = async (commands: readonly Command[], sendOptions?: SendOptions): Promise<Reply[]> => {
    const count = backend.countPending();
    const replies = await local.send(commands, sendOptions);
    count(commands, replies);
    return replies;
  };

  const send: Transport["send"] = async (commands, sendOptions) => {
    if (sendOptions?.fallback === false) return primary.send(commands, sendOptions);
    if (backend.isLocal()) return answerLocally(commands, sendOptions);
    try {
      return await primary.send(commands, sendOptions);
    } catch (error) {
      if (!isOutage(error)) throw error;
      backend.leave(error);
      return answerLocally(commands, sendOptions);
    }
  };

  const subscribe: NonNullable<Transport["subscribe"]> = async (topics, listener, callOptions) => {
    if (!backend.isLocal()) {
      try {
        return await (primary as Required<Transport>).subscribe(topics, listener, callOptions);
      } catch (error) {
        if (!isOutage(error)) throw error;
        backend.leave(error);
      }
    }
    return listening.add(local as Required<Transport>, topics, listener, callOptions);
  };

  return {
    name: `${primary.name}+fallback`,
    send,
    ...(primary.subscribe && local.subscribe && { subscribe }),
    status: backend.status,
    async close() {
      backend.close();
      await Promise.all([primary.close(), local.close()]);
    },
  };
}

/** Whether the primary is to blame, and not the call: then somebody else may answer it. */
function isOutage(error: unknown): error is TransportError {
  if (!isTransportError(error)) return false;
  switch (error.kind) {
    case "unreachable":
    case "timeout":
    case "quota":
    case "unauthorized":
      return true;
    case "protocol":
      // A command that this backend can't carry never left; garbage came back from somewhere.
      return error.delivery === "unknown";
    default:
      return false;
  }
}
