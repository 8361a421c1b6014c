import type { CallOptions, Transport, TransportError } from "@continuum-cache/core";
import { isOutage } from "@continuum-cache/core/kit";
import type { BackendSwitch } from "./backend-switch.ts";
import { type BothSides, subscribeToBoth } from "./both-sides.ts";
import { closedError } from "./fallback-errors.ts";
import type { LocalSubscriptions } from "./local-subscriptions.ts";
import { longestHoldMs } from "./outage-trips.ts";
import type { Lifetime } from "./primary-trips.ts";

export interface SubscribeOptions extends BothSides {
  readonly primary: Required<Pick<Transport, "name" | "send" | "subscribe">>;
  readonly listening: LocalSubscriptions;
  readonly backend: BackendSwitch;
  readonly lifetime: Lifetime;
}

/** Listens to both sides while the primary answers, else to this process only. */
export function subscribeThrough(options: SubscribeOptions): NonNullable<Transport["subscribe"]> {
  const { primary, local, listening, backend, lifetime } = options;
  return async (topics, listener, callOptions) => {
    if (lifetime.closing) throw closedError(primary.name);
    await backend.attend(longestHoldMs(callOptions));
    if (!backend.outage) {
      try {
        return await subscribeToBoth(options, topics, listener, callOptions);
      } catch (error) {
        if (!isOutage(error) || (await refusesTopicsOnly(primary, error, callOptions))) throw error;
        backend.leave(error);
      }
    }
    return listening.add(local, topics, listener, callOptions);
  };
}

/** Whether the primary answers commands, though it has refused these topics. */
async function refusesTopicsOnly(
  primary: Pick<Transport, "send">,
  error: TransportError,
  callOptions: CallOptions | undefined,
): Promise<boolean> {
  if (error.kind !== "unauthorized") return false;
  const ping = primary.send([["PING"]], { ...callOptions, timeoutMs: longestHoldMs(callOptions) });
  return ping.then(
    () => true,
    (failure) => !isOutage(failure),
  );
}
