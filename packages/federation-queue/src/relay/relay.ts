import { assertOptions, createEvents, onAbort } from "@continuum-cache/core/kit";
import { type FederationBackend, knownCall, type LogCallOptions, readCallOptions } from "../shared/options.ts";
import type { RelayOptions } from "./options.ts";
import { readRelayStats } from "./read-relay-stats.ts";
import { readRelaySettings } from "./settings.ts";
import { startRelay } from "./start-relay.ts";
import type { RelayEvents, RelayState, RelayStats } from "./types.ts";

/** A relay at work. */
export interface Relay extends AsyncDisposable {
  readonly state: RelayState;
  /** How it stands, asked of both sides. @throws TransportError when one does not answer. */
  stats(options?: LogCallOptions): Promise<RelayStats>;
  /** Listens to an event. @returns the function that stops listening. */
  on<Name extends keyof RelayEvents>(event: Name, listener: (event: RelayEvents[Name]) => void): () => void;
  /** Ends the copying; what is under way ends first, within `timeout`. Both transports stay open. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Copies a `SyncLog` from one database to another, so that instances in one region read the events of those in the other:
 * each event under its own number, in order, once. A second relay makes it both ways.
 *
 * It keeps no state of its own. Where to go on is told by the destination, so it may be stopped, moved, or run twice; what
 * the destination has, or had and has let go by age, is refused there. What is missing at the source is missing at the
 * destination as the same gap, which its readers count. Instances need names that no other has in any region.
 *
 * An outage of either side is waited out, and what has gathered is brought in batches. Idle it costs about 6 commands at each
 * `pollInterval`, and one for each origin.
 *
 * @throws ConfigError that quotes what can't be.
 *
 * @example
 * ```ts
 * import { relay } from "@continuum-cache/federation-queue";
 * import { restTransport } from "@continuum-cache/transport-rest";
 *
 * const europe = restTransport({ url: "https://eu.upstash.io", token: "…" });
 * const america = restTransport({ url: "https://us.upstash.io", token: "…" });
 * const relays = [relay({ transport: europe }, { transport: america }), relay({ transport: america }, { transport: europe })];
 * for (const each of relays) each.on("error", ({ operation, error }) => console.warn(operation, error));
 *
 * await Promise.all(relays.map((each) => each.close()));
 * ```
 */
export function relay(from: FederationBackend, to: FederationBackend, options: RelayOptions = {}): Relay {
  const settings = readRelaySettings(from, to, options);
  const events = createEvents<RelayEvents>({ error: true, copied: true, gap: true, repaired: true });
  const running = startRelay(settings, events.emit);
  const close = (): Promise<void> => running.close();
  const { signal } = options;
  const stopHearing = onAbort(signal, () => void close());
  if (signal?.aborted) void close();

  return {
    get state() {
      return running.state;
    },
    async stats(asked = {}) {
      assertOptions("stats", asked, knownCall);
      const origins = await readRelayStats(settings, readCallOptions(asked));
      const { state, copied, lastError } = running;
      return { state, copied, lastError, origins };
    },
    on: events.on,
    async close() {
      stopHearing();
      await close();
    },
    async [Symbol.asyncDispose]() {
      await this.close();
    },
  };
}
