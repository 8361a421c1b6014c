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
import { createBackendEvents } from "./fallback/backend-events.ts";
import { createBackendSwitch } from "./fallback/backend-switch.ts";
import { createDoubtfulMessages } from "./fallback/doubtful-messages.ts";
import { lostJournalError, remainderError, restartError } from "./fallback/fallback-errors.ts";
import { type FallbackOptions, readFallbackOptions } from "./fallback/fallback-options.ts";
import { createFallbackStatus } from "./fallback/fallback-status.ts";
import { createGate } from "./fallback/gate.ts";
import { createLocalAnswers } from "./fallback/local-answers.ts";
import { createLocalSubscriptions } from "./fallback/local-subscriptions.ts";
import { createOutageTrips } from "./fallback/outage-trips.ts";
import { createPace } from "./fallback/pace.ts";
import { createPrimaryTrips, type Lifetime } from "./fallback/primary-trips.ts";
import { subscribeThrough } from "./fallback/subscribe-through.ts";
import { createKnownValues } from "./known/known-values.ts";
import { recover } from "./recovery/recovery.ts";

/**
 * Lets the memory of this process answer while the primary can't, and brings the primary up to date afterwards. A trip
 * that the primary leaves without an answer is answered locally, and so are all that follow, until the primary answers a
 * PING again and has been told everything that was written meanwhile: invalidations and deletes first, then differences
 * of counters, pushes in order, and whole values last, those only where nobody else has written the key since.
 *
 * From the moment a delete or an invalidation is accepted, no older value of those keys is served by this process,
 * whatever the primary holds. What only this process knows is counted by `status.pending`. Whoever must not have any of
 * that sends with `fallback: false`: the primary answers, or the call rejects; it rejects too while the primary has yet to
 * be told of a key that the call touches.
 *
 * A write whose fate at the primary is unknown (a lost reply, a timeout) is done again: a counter or a list may then count
 * it twice, but never not at all. Errors that are the caller's (`aborted`, `closed`, `too-large`, a command that the
 * primary can't carry) reject as ever. A subscription hears the primary, and besides what this process publishes locally,
 * marked `degraded`; it lives as long as the primary's stream. One made while local hears this process only, and is
 * interrupted when the primary is back.
 *
 * @param primary - The transport that should answer.
 * @param local - The memory that stands in; it is emptied on the way back, and closed with this transport.
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
  const { clock, bounds, store, warmStartMs, closeTimeoutMs } = settings;
  const events = createBackendEvents();
  const gate = createGate();
  const pace = createPace();
  const listening = createLocalSubscriptions(primary.name);
  const doubts = createDoubtfulMessages(clock);
  const ledger = ledgerOf(primary);
  const known = createKnownValues({ ...settings.known, clock, nextNumber: ledger.nextNumber });
  const memory = createLocalAnswers({ memory: local, known, bounds, store, warmStartMs, events, clock });
  const { journal } = memory;
  const lifetime: Lifetime = { opening: undefined, closing: undefined, latestTimeoutMs: defaultTimeoutMs };

  const backend = createBackendSwitch({
    clock,
    events,
    waitUntil: options.waitUntil,
    breaker: createBreaker({ ...settings.breaker, clock }),
    ping: () => pace.ping((timeoutMs) => primary.send([["PING"]], { timeoutMs })),
    onLeave: () => trips.leaveAll(),
    recover: (attempt) =>
      recover(attempt, {
        primary: trips.primary,
        known,
        journal,
        gate,
        pace,
        clock,
        onFailure: (failure) => events.failure.tell(failure),
        over: trips.over,
        settled: memory.settled,
      }),
    isUpToDate: () => journal.size.entries === 0,
    isQuick: () => pace.pingMs <= lifetime.latestTimeoutMs * 0.8,
    onAttempted: () => void gate.open(),
    onReturn() {
      listening.interrupt();
      doubts.returned();
      // Later outages must not find what this one left behind.
      memory.tell([["FLUSHDB"]]);
    },
  });

  const trips = createPrimaryTrips({
    primary,
    ledger,
    known,
    doubts,
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
      ask: (trip, handler) => trips.ask(trip, handler),
      insist: (trip, handler) => trips.insist(trip, handler),
      forget: local.forget,
    }),
    onLateAnswer(commands, sendOptions) {
      const superseded = memory.giveWay(commands, sendOptions.invalidates ?? []);
      backend.done({ replayed: 0, superseded, dropped: 0 });
    },
    answer: (commands, sendOptions, unanswered) =>
      doubts.doHere(commands, unanswered.fate, () => memory.answer(commands, sendOptions, unanswered)),
  });

  /** What an earlier process has left is told to the primary before anything else is asked of it. */
  const takeUp = async (): Promise<void> => {
    try {
      await memory.takeUp();
      if (journal.size.entries > 0) backend.leave(restartError(primary.name), "an earlier process has left a journal");
    } catch (cause) {
      events.failure.tell({ operation: "journal", error: lostJournalError(cause) });
    } finally {
      lifetime.opening = undefined;
    }
  };
  lifetime.opening = store && Promise.resolve().then(takeUp);

  const toPrimary = dispatchOf(primary);
  const insist = sendThrough(trips.dispatch, defaultTimeoutMs);
  /** For features that never use the memory: while the primary answers, nothing here takes note of their trips. */
  const pastMemory: Dispatch = (trip, handler) => {
    if (lifetime.opening || lifetime.closing || backend.outage) {
      settleInto(handler, () => insist(trip.commands, { ...trip.options, fallback: false }));
    } else {
      toPrimary(trip, handler);
    }
  };

  /** One last try to tell the primary what it does not know. */
  const finish = async (): Promise<void> => {
    await lifetime.opening;
    backend.close();
    if (journal.size.entries > 0) await settlesWithin(closeTimeoutMs, backend.returnNow());
    const { pending } = journal.size;
    if (pending > 0) events.failure.tell({ operation: "close", error: remainderError(pending, store !== undefined) });
    await settlesWithin(closeTimeoutMs, memory.close());
    await Promise.all([primary.close(), local.close()]);
  };

  const shared = {
    ...(primary.maxTopicBytes !== undefined && { maxTopicBytes: primary.maxTopicBytes }),
    ...(primary.hasCheapTrips && { hasCheapTrips: true }),
    close: () => (lifetime.closing ??= finish()),
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
      subscribe: subscribeThrough({
        primary: primary as Required<Transport>,
        local,
        doubts,
        listening,
        backend,
        lifetime,
      }),
    }),
    status: createFallbackStatus(backend, journal, events, clock),
  };
  return registerDispatch(transport, trips.dispatch, { primary: registerDispatch(past, pastMemory) });
}
