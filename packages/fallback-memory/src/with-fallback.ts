import {
  type BackendStatus,
  type Command,
  createBreaker,
  defaultTimeoutMs,
  isOutage,
  isWrite,
  keysOf,
  type Reply,
  type SendOptions,
  type Transport,
  TransportError,
} from "@continuum-cache/core";
import { createBackendEvents } from "./backend-events.ts";
import { createBackendSwitch } from "./backend-switch.ts";
import { type FallbackOptions, readFallbackOptions } from "./fallback-options.ts";
import { createGate } from "./gate.ts";
import { createOutageJournal, type Fate } from "./journal/outage-journal.ts";
import { createKnownValues } from "./known-values.ts";
import { createLocalSubscriptions } from "./local-subscriptions.ts";
import type { MemoryTransport } from "./memory-transport.ts";
import { recover } from "./recovery/recovery.ts";
import { createTripsUnderWay, type TripUnderWay } from "./trips-under-way.ts";
import { warmStart } from "./warm-start.ts";

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
 * primary can't carry) reject as ever. A subscription made while local hears this process only (its messages are
 * `degraded`), and is interrupted when the primary is back.
 *
 * @param primary - The transport that should answer.
 * @param local - The memory that stands in; it is emptied on the way back, and closed with this transport.
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
export function withFallback(primary: Transport, local: MemoryTransport, options: FallbackOptions = {}): Transport {
  const settings = readFallbackOptions(options);
  const { clock, bounds, warmStartMs, closeTimeoutMs } = settings;
  const events = createBackendEvents();
  const gate = createGate();
  const underWay = createTripsUnderWay();
  const listening = createLocalSubscriptions(primary.name);
  const known = createKnownValues({ ...settings.known, now: () => clock.now() });
  /** What the memory is to be told once the trip is through. */
  let inherited: Command[] = [];
  const journal = createOutageJournal({
    bounds,
    known: (key) => known.at(key),
    newId: () => crypto.randomUUID(),
    onInheritedEnd: (key, expiresAtMs) => inherited.push(["PEXPIREAT", key, Math.ceil(expiresAtMs), "NX"]),
    onOverflow: (what) =>
      events.failure.tell({ operation: "journal", error: new Error(`The outage journal is full: ${what}`) }),
  });
  /** What the writes that the memory accepts now are: a caller's, done at the primary perhaps, or nobody's. */
  let noting: Fate | undefined;
  const stopNoting = local.onWrite((write) => {
    if (noting) journal.note(write, noting);
  });
  let closing: Promise<void> | undefined;

  /** The primary, of whose answers note is taken. */
  const watched: Transport = {
    ...primary,
    async send(commands, sendOptions) {
      const number = known.left(commands);
      const replies = await primary.send(commands, sendOptions);
      known.arrived(number, commands, replies);
      return replies;
    },
  };

  const backend = createBackendSwitch({
    clock,
    events,
    breaker: createBreaker({ ...settings.breaker, clock }),
    ping: () => primary.send([["PING"]], { timeoutMs: defaultTimeoutMs }),
    onLeave() {
      if (warmStartMs !== undefined) tellMemory(warmStart(known, clock.now(), warmStartMs));
      underWay.answerAll();
    },
    recover: (attempt) =>
      recover(attempt, {
        primary: watched,
        known,
        journal,
        gate,
        clock,
        onFailure: (failure) => events.failure.tell(failure),
      }),
    isUpToDate: () => journal.size.entries === 0,
    onReturn() {
      listening.interrupt();
      // Later outages must not find what this one left behind.
      tellMemory([["FLUSHDB"]]);
    },
  });

  /** Nobody waits for these. Only a closed memory refuses, and answers nothing more. */
  const tellMemory = (commands: readonly Command[]): void => {
    local.send(commands).catch(() => {});
  };

  const answerLocally = (
    commands: readonly Command[],
    sendOptions: SendOptions | undefined,
    fate: Fate,
  ): Promise<Reply[]> => {
    const before = journal.size.pending;
    noting = fate;
    try {
      for (const glob of sendOptions?.invalidates ?? []) journal.invalidate(glob, clock.now());
      // The memory runs a trip from beginning to end before it returns, so everything noted now is this trip's.
      return local.send(commands, sendOptions);
    } finally {
      noting = undefined;
      if (inherited.length > 0) tellMemory(inherited);
      inherited = [];
      const { pending } = journal.size;
      if (pending > before) events.kept.tell({ mutations: pending - before, pending });
    }
  };

  const askPrimary = (commands: readonly Command[], sendOptions: SendOptions | undefined): Promise<Reply[]> =>
    new Promise((resolve, reject) => {
      let fate: Fate = "unknown";
      let isAnswered = false;
      const trip: TripUnderWay = {
        commands,
        answer() {
          isAnswered = true;
          underWay.remove(trip);
          resolve(answerLocally(commands, sendOptions, fate));
        },
      };
      underWay.add(trip);
      watched.send(commands, leavingTime(sendOptions)).then(
        (replies) => {
          if (isAnswered) return;
          underWay.remove(trip);
          resolve(replies);
        },
        (error) => {
          if (isAnswered) return;
          if (!isOutage(error)) {
            underWay.remove(trip);
            reject(error);
            return;
          }
          fate = error.delivery;
          backend.leave(error);
          // Unless it was answered with the others, in its turn.
          if (!isAnswered) trip.answer();
        },
      );
    });

  const insistOnPrimary = async (commands: readonly Command[], sendOptions: SendOptions): Promise<Reply[]> => {
    if (journal.touches(commands)) throw untoldError(primary.name);
    const replies = await watched.send(commands, sendOptions);
    // What was written past the memory must not be answered by it.
    if (backend.outage) tellMemory(deletesOf(commands));
    return replies;
  };

  const send: Transport["send"] = async (commands, sendOptions) => {
    if (closing) throw closedError(primary.name);
    if (sendOptions?.fallback === false) return insistOnPrimary(commands, sendOptions);
    if (gate.isShut) await gate.pass(longestHoldMs(sendOptions));
    return backend.isLocal() ? answerLocally(commands, sendOptions, "none") : askPrimary(commands, sendOptions);
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
    return listening.add(local, topics, listener, callOptions);
  };

  const status: BackendStatus = {
    get currentBackend() {
      return backend.outage ? "local" : "upstash";
    },
    get pending() {
      return journal.size.pending;
    },
    get outage() {
      const { outage } = backend;
      if (!outage) return undefined;
      const { sinceMs, reason, state } = outage;
      const { entries, bytes, oldestMs, dropped } = journal.size;
      const ageMs = oldestMs === undefined ? 0 : Math.max(0, clock.now() - oldestMs);
      return { sinceMs, reason, state, journal: { entries, bytes, ageMs }, dropped };
    },
    onChange: (listener) => events.change.add(listener),
    onKept: (listener) => events.kept.add(listener),
    onFailure: (listener) => events.failure.add(listener),
  };

  /** One last try to tell the primary what it does not know. */
  const finish = async (): Promise<void> => {
    backend.close();
    if (journal.size.entries > 0) await within(closeTimeoutMs, backend.returnNow());
    const { pending } = journal.size;
    if (pending > 0) events.failure.tell({ operation: "close", error: lossError(pending) });
    stopNoting();
    await Promise.all([primary.close(), local.close()]);
  };

  return {
    name: `${primary.name}+fallback`,
    send,
    ...(primary.subscribe && { subscribe }),
    status,
    close() {
      closing ??= finish();
      return closing;
    },
  };
}

/** The primary's part of a call's time: a little is left for the local answer, so that it too comes before the deadline. */
function leavingTime(options: SendOptions | undefined): SendOptions {
  const timeoutMs = options?.timeoutMs ?? defaultTimeoutMs;
  return { ...options, timeoutMs: timeoutMs - Math.min(100, Math.ceil(timeoutMs / 10)) };
}

/** How long a call waits for a recovery to end before it is answered locally. */
const longestHoldMs = (options: SendOptions | undefined): number =>
  Math.min(1_000, (options?.timeoutMs ?? defaultTimeoutMs) / 3);

/** Commands that delete whatever these write. */
function deletesOf(commands: readonly Command[]): Command[] {
  return commands.filter(isWrite).flatMap((command): Command[] => {
    const keys = keysOf(command);
    if (keys === "database") return [["FLUSHDB"]];
    return keys.length > 0 ? [["DEL", ...keys]] : [];
  });
}

const untoldError = (transport: string): TransportError =>
  new TransportError(
    "unreachable",
    "The primary has yet to be told what this process has written to this key while it was away (wait for `recovered`, or call without `fallback: false`)",
    { transport, delivery: "none" },
  );

const closedError = (transport: string): TransportError =>
  new TransportError("closed", "The transport was closed", { transport, delivery: "none" });

const lossError = (pending: number): Error =>
  new Error(`Closed with ${pending} mutation(s) that the primary was not told of: they are lost`);

async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, end]);
  clearTimeout(timer);
}
