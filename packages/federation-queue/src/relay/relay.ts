import { type Command, type Events, isTransportError } from "@continuum-cache/core";
import {
  assertOptions,
  createBackoff,
  createEvents,
  isUnanswered,
  onAbort,
  serverTimeMs,
  toError,
  toSendOptions,
  unwrap,
} from "@continuum-cache/core/kit";
import { isHeldAt, readRegistry } from "../log/registry.ts";
import { readStreamInfo } from "../log/stream.ts";
import { createNotifier } from "../shared/notifier.ts";
import { type FederationBackend, knownCall, type LogCallOptions } from "../shared/options.ts";
import type { PrimaryCallOptions } from "../shared/primary-client.ts";
import { createRefreshSchedule, createWake } from "../shared/timing.ts";
import { createCopier } from "./copier.ts";
import { createOriginMap } from "./origin-map.ts";
import { type RelaySettings, readRelaySettings } from "./settings.ts";
import type { RelayEvents, RelayedOrigin, RelayOptions, RelayState, RelayStats } from "./types.ts";

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
      const origins = await readRelayStats(settings, toSendOptions(asked));
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

/** The longest time between two reads while no notifications arrive. */
const unheardPollMs = 2_000;

/** Copies until it is closed. */
function startRelay(settings: RelaySettings, emit: Events<RelayEvents>["emit"]) {
  const { from, to, channel, timeoutMs, pollMs } = settings;
  const sourceNotifier = createNotifier(from.transport, channel, timeoutMs, (error) => failed("listen", error));
  const targetNotifier = createNotifier(to.transport, channel, timeoutMs);
  const wake = createWake();
  const schedule = createRefreshSchedule(pollMs);
  const status: { -readonly [Name in keyof Omit<RelayStats, "origins">]: RelayStats[Name] } = {
    state: "running",
    copied: 0,
    lastError: undefined,
  };
  let closing: Promise<void> | undefined;
  const isClosed = (): boolean => status.state === "closed";

  const failed = (operation: string, error: unknown): void => {
    status.lastError = toError(error);
    emit("error", { operation, error: status.lastError });
  };
  const lostData = (origin: string): void => emit("repaired", { origin });
  const origins = createOriginMap(settings, {
    lostData,
    conflict(origin) {
      const remedy = "give each instance a name that no other region has";
      failed("relay", new Error(`The name "${origin}" is held on both sides: ${remedy}`));
    },
  });
  const copier = createCopier(settings, {
    copied(origin, count) {
      status.copied += count;
      targetNotifier.notify(origin);
      emit("copied", { origin, count });
    },
    gap: (gap) => emit("gap", gap),
    lostData,
  });

  const stopListening = sourceNotifier.listen((named) => {
    const isNews = named.length === 0 || named.some((origin) => !origins.knows(origin));
    if (isNews) schedule.request();
    if (isNews || named.some((origin) => origins.copies(origin))) wake.wake();
  });

  /** Returns whether there may be more. */
  const copyOnce = async (): Promise<boolean> => {
    await schedule.runIfDue(origins.refresh);
    if (await copier.copyPage(origins.cursors)) return true;
    await copier.finish(await origins.check());
    return schedule.isRequested;
  };

  const idle = async (): Promise<void> => {
    const { isListening } = sourceNotifier;
    const waitMs = Math.max(1, schedule.msLeft);
    const isWoken = await wake.wait(isListening ? waitMs : Math.min(waitMs, unheardPollMs));
    // Timers may be a little early.
    if (!isWoken && isListening) schedule.request();
  };

  const run = async (): Promise<void> => {
    const backoff = createBackoff({ firstMs: 100, longestMs: 5_000 });
    while (!isClosed()) {
      try {
        const isMore = await copyOnce();
        backoff.reset();
        if (isClosed()) return;
        status.state = "running";
        if (!isMore) await idle();
      } catch (error) {
        if (isClosed()) return;
        if (status.state === "running" || !isUnanswered(error)) failed("relay", error);
        status.state = "waiting";
        // The server that replies next may be another one.
        schedule.request();
        // A closed transport stays closed.
        if (isTransportError(error) && error.kind === "closed") return end();
        await wake.wait(backoff.next());
      }
    }
  };

  const end = (): void => {
    status.state = "closed";
    stopListening();
    wake.wake();
  };
  const running = run();
  const finish = async (): Promise<void> => {
    end();
    await running;
    await Promise.all([sourceNotifier.close(), targetNotifier.close()]);
  };

  return {
    status: status as Readonly<typeof status>,
    close(): Promise<void> {
      closing ??= finish();
      return closing;
    },
  };
}

/** Two round trips to each side. @throws TransportError when one does not reply. */
async function readRelayStats(
  { from, to, keys }: RelaySettings,
  options: PrimaryCallOptions,
): Promise<Readonly<Record<string, RelayedOrigin>>> {
  const [source, destination] = await Promise.all([
    from.link.send([["HGETALL", keys.registry]], options),
    to.link.send([["HGETALL", keys.registry], ["TIME"]], options),
  ]);
  const here = readRegistry(unwrap(destination[0]));
  const nowMs = serverTimeMs(unwrap(destination[1]));
  const origins = [...readRegistry(unwrap(source[0])).keys()].filter((origin) => {
    const own = here.get(origin);
    return !own || !isHeldAt(own, nowMs);
  });
  const looks = origins.map((origin): Command => ["XINFO", "STREAM", keys.stream(origin)]);
  const [there, reached] = await Promise.all([from.link.send(looks, options), to.link.send(looks, options)]);
  return Object.fromEntries(
    origins.map((origin, at): [string, RelayedOrigin] => {
      const sourceSeq = readStreamInfo(there[at]).last.seq;
      const destinationSeq = readStreamInfo(reached[at]).last.seq;
      return [origin, { sourceSeq, destinationSeq, behind: Math.max(0, sourceSeq - destinationSeq) }];
    }),
  );
}
