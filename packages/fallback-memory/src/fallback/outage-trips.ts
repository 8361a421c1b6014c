import type { CallOptions, SendOptions, Transport } from "@continuum-cache/core";
import {
  type Dispatch,
  defaultTimeoutMs,
  sendThrough,
  settleInto,
  settlesWithin,
  throughSend,
} from "@continuum-cache/core/kit";
import type { MemoryTransport } from "@continuum-cache/transport-memory";
import type { FailoverController } from "../failover/failover-controller.ts";
import type { Gate } from "../failover/gate.ts";
import type { Pace } from "../failover/pace.ts";
import { closedError, pendingKeyError, unreadError } from "./fallback-errors.ts";
import { deletesOf, type LocalBackend } from "./local-backend.ts";
import type { Lifetime, PrimaryTripsOptions } from "./primary-trips.ts";
import { endsScan } from "./scan-deletes.ts";

export interface OutageTripsOptions {
  readonly primary: Transport;
  readonly memory: LocalBackend;
  readonly backend: FailoverController;
  readonly gate: Gate;
  readonly pace: Pace;
  readonly lifetime: Lifetime;
  /** See `PrimaryTrips`. */
  readonly sendWithFallback: Dispatch;
  readonly sendToPrimary: Dispatch;
  /** Deletes what the memory holds under the keys of a glob. */
  readonly forget: MemoryTransport["forget"];
}

/** How trips are sent that sendToPrimary on the primary, and those that can't go straight there. */
export function createOutageTrips(
  options: OutageTripsOptions,
): Pick<PrimaryTripsOptions, "sendSlowly" | "sendPrimaryOnly"> {
  const { primary, memory, backend, gate, pace, lifetime, sendWithFallback, sendToPrimary, forget } = options;

  const sendPrimaryOnly: Dispatch = (trip, handler) => {
    const { commands, options: sendOptions } = trip;
    if (memory.journal.touches(commands)) {
      handler.failed(pendingKeyError(primary.name));
      return;
    }
    sendToPrimary(trip, {
      answered(replies) {
        if (!backend.isLocal) {
          handler.answered(replies);
          return;
        }
        // The memory must not serve older values of keys that were written at the primary.
        memory.runUnjournaled(deletesOf(commands));
        const globs = endsScan(commands, replies) ? (sendOptions.invalidates ?? []) : [];
        settleInto(handler, () => Promise.all(globs.map((glob) => forget(glob))).then(() => replies));
      },
      failed: (error) => handler.failed(error),
    });
  };

  const send: Transport["send"] = async (commands, sendOptions = {}) => {
    // Until the earlier journal is read, an answer could contradict it.
    if (lifetime.opening) await settlesWithin(longestReadMs(sendOptions), lifetime.opening);
    if (lifetime.opening) throw unreadError(primary.name);
    if (lifetime.closing) throw closedError(primary.name);
    if (sendOptions.fallback === false) return sendThrough(sendPrimaryOnly, defaultTimeoutMs)(commands, sendOptions);
    const startedMs = performance.now();
    const timeoutMs = sendOptions.timeoutMs ?? defaultTimeoutMs;
    lifetime.latestTimeoutMs = timeoutMs;
    // A slow primary is waited for longer, as long as the call keeps enough time for its own trip.
    const soonMs = Math.max(longestHoldMs(sendOptions), 2 * pace.tripMs);
    const holdMs = Math.min(soonMs, (timeoutMs * 2) / 3, timeoutMs * 0.8 - pace.tripMs * 1.25);
    if (gate.isShut && holdMs > 0) await gate.pass(holdMs);
    if (backend.isLocal) await backend.probeIfDue(longestHoldMs(sendOptions));
    if (lifetime.closing) throw closedError(primary.name);
    const heldMs = Math.floor(performance.now() - startedMs);
    // The primary gets its part of the time even if a timer was late.
    const leftMs = Math.ceil(Math.max(timeoutMs / 3, timeoutMs - heldMs));
    const left = heldMs > 0 ? { ...sendOptions, timeoutMs: leftMs } : sendOptions;
    if (backend.isLocal) return memory.answer(commands, left);
    return sendThrough(sendWithFallback, defaultTimeoutMs)(commands, left);
  };

  return { sendPrimaryOnly, sendSlowly: throughSend({ name: primary.name, send }) };
}

/** How long a call waits for a recovery to end before it is answered locally. */
export const longestHoldMs = (options: CallOptions | undefined): number =>
  Math.min(1_000, (options?.timeoutMs ?? defaultTimeoutMs) / 3);

const longestReadMs = (options: SendOptions | undefined): number => ((options?.timeoutMs ?? defaultTimeoutMs) * 9) / 10;
