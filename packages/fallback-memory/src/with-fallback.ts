import type { Transport } from "@continuum-cache/core";
import {
  createBreaker,
  type Dispatch,
  defaultTimeoutMs,
  dispatchOf,
  ledgerOf,
  registerDispatch,
  sendThrough,
  settleInto,
  settlesWithin,
} from "@continuum-cache/core/kit";
import type { MemoryTransport } from "@continuum-cache/transport-memory";
import { type BackendEvents, createBackendEvents } from "./failover/backend-events.ts";
import { createFailoverController, type FailoverController } from "./failover/failover-controller.ts";
import { createGate } from "./failover/gate.ts";
import { createPace } from "./failover/pace.ts";
import { lostJournalError, remainderError, restartError } from "./fallback/fallback-errors.ts";
import { type FallbackOptions, type FallbackSettings, readFallbackOptions } from "./fallback/fallback-options.ts";
import { createFallbackStatus } from "./fallback/fallback-status.ts";
import { fallbackSubscribe } from "./fallback/fallback-subscribe.ts";
import { createLocalBackend, type LocalBackend } from "./fallback/local-backend.ts";
import { createOutageTrips } from "./fallback/outage-trips.ts";
import { createPrimaryTrips, type Lifetime, type PrimaryTrips } from "./fallback/primary-trips.ts";
import { createLastSeenValues } from "./last-seen/last-seen-values.ts";
import { createLocalSubscriptions, type LocalSubscriptions } from "./messages/local-subscriptions.ts";
import { createUnconfirmedPublishes, type UnconfirmedPublishes } from "./messages/unconfirmed-publishes.ts";
import { recover } from "./recovery/recovery.ts";

/**
 * Answers from the memory of this process while the primary can't answer, and replays to the primary afterwards what
 * was written meanwhile. When the primary leaves a trip without an answer, the memory answers this trip and all that
 * follow. When the primary answers a PING again, the journal is replayed: deletes and invalidations first, then
 * differences of counters and pushes in order, and whole values last, each only where no other process has written
 * the key since.
 *
 * After a delete or an invalidation was accepted, this process serves no older value of those keys, whatever the
 * primary holds. `status.pending` counts the mutations that only this process knows. A call with `fallback: false` is
 * answered by the primary or rejects; it also rejects while a key that it touches is pending.
 *
 * A write whose outcome at the primary is unknown (a lost reply, a timeout) is repeated: a counter or a list may then
 * count it twice, but never not at all. Errors of the caller (`aborted`, `closed`, `too-large`, a command that the
 * primary can't carry) reject as they do without a fallback. A subscription hears the primary, and what this process
 * publishes locally, marked `degraded`; it lives as long as the primary's stream. A subscription made during an
 * outage hears this process only, and is interrupted when the primary is back.
 *
 * @param primary - The transport that should answer.
 * @param local - The memory that answers in its place. It is emptied when the primary is back, and closed with this
 * transport.
 * @throws ConfigError when an option is out of its range, or does not exist.
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
export function withFallback(primary: Transport, local: MemoryTransport, options: FallbackOptions = {}): Transport {
  const settings = readFallbackOptions(options);
  const parts = createParts(primary, local, options, settings);
  const { backend, memory, events, lifetime, trips, subscriptions, unconfirmed } = parts;
  lifetime.opening = settings.store && Promise.resolve().then(() => readEarlierJournal(parts));
  const pastMemory = primaryOnly(parts);
  const shared = {
    ...(primary.maxTopicBytes !== undefined && { maxTopicBytes: primary.maxTopicBytes }),
    ...(primary.hasCheapTrips && { hasCheapTrips: true }),
    close: () => (lifetime.closing ??= close(parts, settings)),
  };
  const past: Transport = {
    ...shared,
    name: primary.name,
    send: sendThrough(pastMemory, defaultTimeoutMs),
    ...(primary.subscribe && { subscribe: primary.subscribe.bind(primary) }),
  };
  const transport: Transport = {
    ...shared,
    name: `${primary.name}+fallback`,
    send: sendThrough(trips.dispatch, defaultTimeoutMs),
    ...(primary.subscribe && {
      subscribe: fallbackSubscribe({
        primary: primary as Required<Transport>,
        local,
        unconfirmed,
        subscriptions,
        backend,
        lifetime,
      }),
    }),
    status: createFallbackStatus(backend, memory.journal, events, settings.clock),
  };
  return registerDispatch(transport, trips.dispatch, { primary: registerDispatch(past, pastMemory), server: primary });
}

/** What a transport with a fallback consists of. */
interface Parts {
  readonly primary: Transport;
  readonly local: MemoryTransport;
  readonly events: BackendEvents;
  readonly memory: LocalBackend;
  readonly backend: FailoverController;
  readonly trips: PrimaryTrips;
  readonly subscriptions: LocalSubscriptions;
  readonly unconfirmed: UnconfirmedPublishes;
  readonly lifetime: Lifetime;
}

function createParts(
  primary: Transport,
  local: MemoryTransport,
  { waitUntil }: FallbackOptions,
  settings: FallbackSettings,
): Parts {
  const { clock, bounds, store, warmStartMs } = settings;
  const events = createBackendEvents();
  const gate = createGate();
  const pace = createPace();
  const subscriptions = createLocalSubscriptions(primary.name);
  const unconfirmed = createUnconfirmedPublishes(clock);
  const ledger = ledgerOf(primary);
  const lastSeen = createLastSeenValues({ ...settings.lastSeen, clock, nextNumber: ledger.nextNumber });
  const memory = createLocalBackend({ memory: local, lastSeen, bounds, store, warmStartMs, events, clock });
  const { journal } = memory;
  const lifetime: Lifetime = { opening: undefined, closing: undefined, latestTimeoutMs: defaultTimeoutMs };

  const backend = createFailoverController({
    clock,
    events,
    waitUntil,
    breaker: createBreaker({ ...settings.breaker, clock }),
    ping: () => pace.ping((timeoutMs) => primary.send([["PING"]], { timeoutMs })),
    onLocal: () => trips.goLocal(),
    recover: (attempt) =>
      recover(attempt, {
        primary: trips.primary,
        lastSeen,
        journal,
        gate,
        pace,
        clock,
        onFailure: (failure) => events.failure.notify(failure),
        sent: trips.settled,
        persisted: memory.persisted,
      }),
    isUpToDate: () => journal.size.entries === 0,
    isQuick: () => pace.pingMs <= lifetime.latestTimeoutMs * 0.8,
    onAttempted: () => void gate.open(),
    onPrimary() {
      subscriptions.interrupt();
      unconfirmed.primaryReturned();
      // A later outage must not find the values of this one.
      memory.runUnjournaled([["FLUSHDB"]]);
    },
  });

  const trips = createPrimaryTrips({
    primary,
    ledger,
    lastSeen,
    unconfirmed,
    gate,
    backend,
    lifetime,
    ...createOutageTrips({
      primary,
      memory,
      backend,
      gate,
      pace,
      lifetime,
      sendWithFallback: (trip, handler) => trips.sendWithFallback(trip, handler),
      sendToPrimary: (trip, handler) => trips.sendToPrimary(trip, handler),
      forget: local.forget,
    }),
    onLateAnswer(commands, { invalidates = [] }) {
      const superseded = memory.applyPrimaryWrite(commands, invalidates);
      backend.addToRecovery({ replayed: 0, superseded, dropped: 0 });
    },
    answer: (commands, sendOptions, unanswered) =>
      unconfirmed.publishLocally(commands, unanswered.delivery, () => memory.answer(commands, sendOptions, unanswered)),
  });
  return { primary, local, events, memory, backend, trips, subscriptions, unconfirmed, lifetime };
}

/** Restores what an earlier process has left in the journal's store. Calls wait for it. */
async function readEarlierJournal({ primary, memory, backend, events, lifetime }: Parts): Promise<void> {
  try {
    await memory.restore();
    if (memory.journal.size.entries > 0)
      backend.goLocal(restartError(primary.name), "an earlier process has left a journal");
  } catch (cause) {
    events.failure.notify({ operation: "journal", error: lostJournalError(cause) });
  } finally {
    lifetime.opening = undefined;
  }
}

/** For features that never use the memory: while the primary answers, nothing here tracks their trips. */
function primaryOnly({ primary, trips, backend, lifetime }: Parts): Dispatch {
  const toPrimary = dispatchOf(primary);
  const send = sendThrough(trips.dispatch, defaultTimeoutMs);
  return (trip, handler) => {
    if (lifetime.opening || lifetime.closing || backend.isLocal) {
      settleInto(handler, () => send(trip.commands, { ...trip.options, fallback: false }));
    } else {
      toPrimary(trip, handler);
    }
  };
}

/** Closes everything, after one last try to replay the journal. */
async function close(
  { primary, local, memory, backend, events, lifetime }: Parts,
  { closeTimeoutMs, store }: FallbackSettings,
): Promise<void> {
  const { journal } = memory;
  await lifetime.opening;
  backend.close();
  if (journal.size.entries > 0) await settlesWithin(closeTimeoutMs, backend.probeNow());
  const { pending } = journal.size;
  if (pending > 0) events.failure.notify({ operation: "close", error: remainderError(pending, store !== undefined) });
  await settlesWithin(closeTimeoutMs, memory.close());
  await Promise.all([primary.close(), local.close()]);
}
