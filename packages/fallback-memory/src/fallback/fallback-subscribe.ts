import type { CallOptions, Transport, TransportError } from "@continuum-cache/core";
import { isOutage } from "@continuum-cache/core/kit";
import type { FailoverController } from "../failover/failover-controller.ts";
import type { LocalSubscriptions } from "../messages/local-subscriptions.ts";
import { type MergedSources, mergedSubscription } from "../messages/merged-subscription.ts";
import { closedError } from "./fallback-errors.ts";
import { longestHoldMs } from "./outage-trips.ts";
import type { Lifetime } from "./primary-trips.ts";

export interface FallbackSubscribeOptions extends MergedSources {
  readonly primary: Required<Pick<Transport, "name" | "send" | "subscribe">>;
  readonly subscriptions: LocalSubscriptions;
  readonly backend: FailoverController;
  readonly lifetime: Lifetime;
}

/** Subscribes to the primary and the local memory while the primary answers, otherwise to the local memory alone. */
export function fallbackSubscribe(options: FallbackSubscribeOptions): NonNullable<Transport["subscribe"]> {
  const { primary, local, subscriptions, backend, lifetime } = options;
  return async (topics, listener, callOptions) => {
    if (lifetime.closing) throw closedError(primary.name);
    await backend.probeIfDue(longestHoldMs(callOptions));
    if (!backend.isLocal) {
      try {
        return await mergedSubscription(options, topics, listener, callOptions);
      } catch (error) {
        if (!isOutage(error) || (await refusesTopicsOnly(primary, error, callOptions))) throw error;
        backend.goLocal(error);
      }
    }
    return subscriptions.add(local, topics, listener, callOptions);
  };
}

/** Whether the primary refused these topics, but answers commands. */
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
