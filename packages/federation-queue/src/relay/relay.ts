import { assertOptions, createEvents, onAbort } from "@continuum-cache/core/kit";
import { type FederationBackend, knownCall, type LogCallOptions, readCallOptions } from "../shared/options.ts";
import { readRelayStats } from "./read-relay-stats.ts";
import { readRelaySettings } from "./settings.ts";
import { startRelay } from "./start-relay.ts";
import type { RelayEvents, RelayOptions, RelayState, RelayStats } from "./types.ts";

/** A running relay. */
export interface Relay extends AsyncDisposable {
  readonly state: RelayState;
  /** Asks both sides for their state. @throws TransportError when one does not reply. */
  stats(options?: LogCallOptions): Promise<RelayStats>;
  /** Listens to an event. @returns the function that stops listening. */
  on<Name extends keyof RelayEvents>(event: Name, listener: (event: RelayEvents[Name]) => void): () => void;
  /**
   * Ends the copying, after the round trip under way or its `timeout`. Both transports stay open. Safe to call twice.
   */
  close(): Promise<void>;
}

/**
 * Copies a `SyncLog` from one database to another, so that instances in one region read the events of those in the
 * other: each event under its own number, in order, once. For both directions use a second relay.
 *
 * The relay keeps no state. The destination says where to go on, so a relay may be stopped, moved, or run twice. The
 * destination refuses events that it has, or had and has trimmed by age. Events that are missing at the source are the
 * same gap at the destination, which its readers count. Each instance needs a name that no other has in any region.
 *
 * The relay waits while either side is away, and then copies in batches. While idle it costs about 6 commands for each
 * `pollInterval`, and one for each origin.
 *
 * @throws ConfigError that quotes the invalid option.
 *
 * @example
 * ```ts
 * import { relay } from "@continuum-cache/federation-queue";
 * import { restTransport } from "@continuum-cache/transport-rest";
 *
 * const europe = restTransport({ url: "https://eu.upstash.io", token: "…" });
 * const america = restTransport({ url: "https://us.upstash.io", token: "…" });
 * const relays = [
 *   relay({ transport: europe }, { transport: america }),
 *   relay({ transport: america }, { transport: europe }),
 * ];
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
      return running.status.state;
    },
    async stats(asked = {}) {
      assertOptions("stats", asked, knownCall);
      const origins = await readRelayStats(settings, readCallOptions(asked));
      return { ...running.status, origins };
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
