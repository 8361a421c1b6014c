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
import type { BackendSwitch } from "./backend-switch.ts";
import { deletesOf } from "./deletes-of.ts";
import { closedError, unreadError, untoldError } from "./fallback-errors.ts";
import type { Gate } from "./gate.ts";
import type { LocalAnswers } from "./local-answers.ts";
import type { Pace } from "./pace.ts";
import { isEnd } from "./pattern-runs.ts";
import type { Lifetime, PrimaryTripsOptions } from "./primary-trips.ts";

export interface OutageTripsOptions {
  readonly primary: Transport;
  readonly memory: LocalAnswers;
  readonly backend: BackendSwitch;
  readonly gate: Gate;
  readonly pace: Pace;
  readonly lifetime: Lifetime;
  /** As in `PrimaryTrips`. */
  readonly ask: Dispatch;
  readonly insist: Dispatch;
  /** Deletes what the memory holds under the keys of a glob. */
  readonly forget: MemoryTransport["forget"];
}

/** How trips are sent that insist on the primary, and those that can't go straight there. */
export function createOutageTrips(
  options: OutageTripsOptions,
): Pick<PrimaryTripsOptions, "sendApart" | "insistOnPrimary"> {
  const { primary, memory, backend, gate, pace, lifetime, ask, insist, forget } = options;

  const insistOnPrimary: Dispatch = (trip, handler) => {
    const { commands, options: sendOptions } = trip;
    if (memory.journal.touches(commands)) {
      handler.failed(untoldError(primary.name));
      return;
    }
    insist(trip, {
      answered(replies) {
        if (!backend.outage) {
          handler.answered(replies);
          return;
        }
        // What was written past the memory must not be answered by it.
        memory.tell(deletesOf(commands));
        const globs = isEnd(commands, replies) ? (sendOptions.invalidates ?? []) : [];
        settleInto(handler, () => Promise.all(globs.map((glob) => forget(glob))).then(() => replies));
      },
      failed: (error) => handler.failed(error),
    });
  };

  const send: Transport["send"] = async (commands, sendOptions = {}) => {
    // What is not known yet must not be contradicted.
    if (lifetime.opening) await settlesWithin(longestReadMs(sendOptions), lifetime.opening);
    if (lifetime.opening) throw unreadError(primary.name);
    if (lifetime.closing) throw closedError(primary.name);
    if (sendOptions.fallback === false) return sendThrough(insistOnPrimary, defaultTimeoutMs)(commands, sendOptions);
    const startedMs = performance.now();
    const timeoutMs = sendOptions.timeoutMs ?? defaultTimeoutMs;
    lifetime.latestTimeoutMs = timeoutMs;
    // A primary that needs longer for a trip is waited for longer, as long as enough of the call's time is left for its own.
    const soonMs = Math.max(longestHoldMs(sendOptions), 2 * pace.tripMs);
    const holdMs = Math.min(soonMs, (timeoutMs * 2) / 3, timeoutMs * 0.8 - pace.tripMs * 1.25);
    if (gate.isShut && holdMs > 0) await gate.pass(holdMs);
    if (backend.outage) await backend.attend(longestHoldMs(sendOptions));
    if (lifetime.closing) throw closedError(primary.name);
    const heldMs = Math.floor(performance.now() - startedMs);
    // A timer that was late is no fault of the primary's: it gets its part of the time.
    const leftMs = Math.ceil(Math.max(timeoutMs / 3, timeoutMs - heldMs));
    const left = heldMs > 0 ? { ...sendOptions, timeoutMs: leftMs } : sendOptions;
    if (backend.outage) return memory.answer(commands, left);
    return sendThrough(ask, defaultTimeoutMs)(commands, left);
  };

  return { insistOnPrimary, sendApart: throughSend({ name: primary.name, send }) };
}

/** How long a call waits for a recovery to end before it is answered locally. */
export const longestHoldMs = (options: CallOptions | undefined): number =>
  Math.min(1_000, (options?.timeoutMs ?? defaultTimeoutMs) / 3);

const longestReadMs = (options: SendOptions | undefined): number => ((options?.timeoutMs ?? defaultTimeoutMs) * 9) / 10;
