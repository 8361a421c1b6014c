import { isReplacing, isWrite } from "../commands/command-facts.ts";
import { mayMatchGlob } from "../keys/glob-text.ts";
import type { Command, Reply, SendOptions, Transport } from "../ports/transport.ts";
import { throughSend } from "./through-send.ts";
import { type KeySet, type KeyTest, keySetOf, together, type WrittenKeys } from "./written-keys.ts";

/**
 * One round trip, from the batch that collects its commands to the connection that carries it. All layers on its way
 * read and write this one object, so that none of them needs a promise, a timer or a record of its own.
 */
export class RoundTrip {
  readonly commands: readonly Command[];
  /** What its caller asks for. */
  readonly options: SendOptions;
  /** Whether one of its commands changes what is stored. */
  readonly writes: boolean;
  /**
   * The deadline of the layer below, by `performance.now()`. A layer that needs some of the caller's time for itself
   * moves it forward before it passes the trip on.
   */
  deadlineMs: number;
  /** An answer from elsewhere, such as the memory of this process, while the layers below are at work. */
  fallbackAnswer: FallbackAnswer | undefined = undefined;
  /** Where trips are compared with those that overtook them, and this trip's number there. */
  ledger: WriteLedger | undefined = undefined;
  number = 0;

  /**
   * @param writes - As the field, where that is known already.
   * @throws TypeError for what is no command, where it is not.
   */
  constructor(
    commands: readonly Command[],
    options: SendOptions,
    defaultTimeoutMs: number,
    writes: boolean = commands.some(isWrite),
  ) {
    this.commands = commands;
    this.options = options;
    this.writes = writes;
    this.deadlineMs = performance.now() + (options.timeoutMs ?? defaultTimeoutMs);
  }

  /** How much time the layer below has, in whole milliseconds; at least 1. */
  get leftMs(): number {
    // The sum of two times is not exact.
    return Math.max(1, Math.ceil(this.deadlineMs - performance.now() - 1e-6));
  }

  /** Whether a caller waits for it, so that another attempt makes sense. */
  get isWanted(): boolean {
    return !this.fallbackAnswer?.hasAnswered && (this.options.isWanted?.() ?? true);
  }
}

/** What may answer a round trip while the layers below are still at work on it. */
export interface FallbackAnswer {
  /** The caller has an answer already: another attempt below could only undo what has happened since. */
  readonly hasAnswered: boolean;
}

/** Receives the outcome of a round trip: exactly one of the two methods is called, once. Neither may throw. */
export interface ReplyHandler {
  /** @param replies - One for each command. */
  answered(replies: Reply[]): void;
  /** @param error - A `TransportError`, unless a third party's transport broke its promise. */
  failed(error: unknown): void;
}

/** Sends a round trip and calls its handler, in this turn of the event loop or later. It never throws. */
export type Dispatch = (trip: RoundTrip, handler: ReplyHandler) => void;

/**
 * Answers a round trip before it returns, with one reply for each command. Returns `undefined` when the trip has to
 * wait for something; then nothing was done.
 *
 * @throws TransportError as `dispatch` fails.
 */
export type AnswerSync = (commands: readonly Command[], options: SendOptions) => Reply[] | undefined;

/** What a transport that takes round trips directly offers besides. */
export interface DispatchOffer {
  /** Where it compares the trips that come in no ledger. See {@link ledgerOf}. */
  readonly ledger?: WriteLedger;
  /** The transport for which it may answer from a local stand-in. See {@link primaryOf}. */
  readonly primary?: Transport;
  /** Answers without waiting, where the transport can. See {@link answerSyncOf}. */
  readonly answerSync?: AnswerSync;
  /** The transport below that carries all its trips to the server, replays of an outage too. See {@link serverOf}. */
  readonly server?: Transport;
}

/** How a transport takes round trips directly, and the `send` that means the same. */
interface Dispatcher extends DispatchOffer {
  readonly send: Transport["send"];
  readonly dispatch: Dispatch;
}

const dispatchers = new WeakMap<Transport, Dispatcher>();

/**
 * Notes that a transport takes round trips directly, without the promises of `send`.
 *
 * It is no member of the transport: a decorator that copies a transport and replaces its `send` must never be passed
 * by.
 */
export function registerDispatch<Own extends Transport>(
  transport: Own,
  dispatch: Dispatch,
  offer: DispatchOffer = {},
): Own {
  dispatchers.set(transport, { ...offer, send: transport.send, dispatch });
  return transport;
}

/**
 * Has each round trip that is dispatched through a transport go through a function of its own first.
 *
 * @param decorate - Gets the way that trips took so far, and returns the way that they take from now on.
 */
export function decorateDispatch(transport: Transport, decorate: (inner: Dispatch) => Dispatch): void {
  const own = dispatcherOf(transport);
  registerDispatch(transport, decorate(own?.dispatch ?? throughSend(transport)), own);
}

/** The transport that carries trips to the server in the end, below a local stand-in where there is one. */
export function serverOf(transport: Transport): Transport {
  let server = transport;
  for (let below = dispatcherOf(server)?.server; below; below = dispatcherOf(server)?.server) server = below;
  return server;
}

/** What a transport has offered, unless its `send` was replaced since, by a test or a tracer. */
export function dispatcherOf(transport: Transport): Dispatcher | undefined {
  const own = dispatchers.get(transport);
  return own?.send === transport.send ? own : undefined;
}

/**
 * Where to compare the trips that go through a transport: with those of other callers, where it compares trips
 * itself.
 */
export function ledgerOf(transport: Transport): WriteLedger {
  return dispatchers.get(transport)?.ledger ?? createWriteLedger();
}

/**
 * How to send round trips through a transport: directly where it offers that, else by its `send`.
 *
 * @param bySend - Replaces the plain call of `send`.
 */
export function dispatchOf(transport: Transport, bySend: Dispatch = throughSend(transport)): Dispatch {
  return (trip, handler) => (dispatcherOf(transport)?.dispatch ?? bySend)(trip, handler);
}

/** How a transport answers without waiting; `undefined` for one that never does. */
export function answerSyncOf(transport: Transport): AnswerSync | undefined {
  if (!dispatcherOf(transport)?.answerSync) return undefined;
  return (commands, options) => dispatcherOf(transport)?.answerSync?.(commands, options);
}

/** The `send` of a transport that takes round trips directly. */
export function sendThrough(dispatch: Dispatch, defaultTimeoutMs: number): Transport["send"] {
  return (commands, options = {}) =>
    new Promise((answered, failed) => {
      dispatch(new RoundTrip(commands, options, defaultTimeoutMs), { answered, failed });
    });
}

/** The trips that have been sent, as far as it takes to tell whether a later one has overtaken an earlier one. */
export interface WriteLedger {
  /**
   * A trip is about to be sent. It ends once, with success or failure. One that has not by its deadline has vanished.
   */
  add(trip: RoundTrip): void;
  succeeded(trip: RoundTrip): void;
  failed(trip: RoundTrip): void;
  /** The trips in flight, in the order in which they were sent. */
  readonly inFlight: readonly RoundTrip[];
  /**
   * The keys, or the whole database, of which trips sent after this one have left nothing by now.
   *
   * @param compile - Makes the test of a glob by which such a trip has deleted.
   */
  replacedSince(trip: RoundTrip, compile: (glob: string) => KeyTest): WrittenKeys;
  /** Those that such trips may have written in any way, or may yet write. */
  writtenSince(trip: RoundTrip): WrittenKeys;
  /** A number behind those of all trips so far and before those of later ones. */
  nextNumber(): number;
}

/** What is kept of an answered trip: its keys, not its values. */
interface Returned {
  readonly number: number;
  readonly written: KeySet;
  readonly replaced: KeySet;
  readonly globs: readonly string[];
}

/** More trips than this are not remembered behind one that hangs: the earliest of them are forgotten first. */
const mostReturned = 1_000;

/** A trip that has not ended so long after its deadline has vanished. */
const graceMs = 100;

export function createWriteLedger(): WriteLedger {
  let numbers = 0;
  /** No `Set`: of those V8 links each table to the next, and an old one keeps alive what all later ones have held. */
  const inFlight: RoundTrip[] = [];
  let returned: Returned[] = [];

  const isLost = (trip: RoundTrip, nowMs: number): boolean => trip.deadlineMs + graceMs <= nowMs;

  /** The oldest trip in flight. Forgets those before it that have vanished. */
  const oldest = (): RoundTrip | undefined => {
    if (inFlight.length === 0) return undefined;
    const nowMs = performance.now();
    const first = inFlight.findIndex((trip) => !isLost(trip, nowMs));
    if (first !== 0) inFlight.splice(0, first < 0 ? inFlight.length : first);
    return inFlight[0];
  };

  const leave = (trip: RoundTrip): void => {
    const at = inFlight.indexOf(trip);
    if (at >= 0) inFlight.splice(at, 1);
  };

  const remember = ({ number, commands, options, writes }: RoundTrip): void => {
    // Trips mostly come back in the order in which they left: then none can have been overtaken.
    const first = oldest()?.number ?? Number.POSITIVE_INFINITY;
    if (first > number) {
      if (first === Number.POSITIVE_INFINITY && returned.length > 0) returned = [];
      return;
    }
    const { invalidates: globs = [] } = options;
    if (!writes && globs.length === 0) return;
    const written = keySetOf(commands.filter(isWrite));
    returned.push({ number, written, replaced: keySetOf(commands.filter(isReplacing)), globs });
    if (returned.length <= mostReturned) return;
    returned = returned.filter((one) => one.number > first).slice(-mostReturned / 2);
  };

  const later = <One extends { readonly number: number }>(all: readonly One[], { number }: RoundTrip): One[] =>
    all.filter((one) => one.number > number);

  const notLost = (): RoundTrip[] => {
    const nowMs = performance.now();
    return inFlight.filter((trip) => !isLost(trip, nowMs));
  };

  const ledger: WriteLedger = {
    get inFlight() {
      return notLost();
    },
    add(trip) {
      oldest();
      trip.ledger = ledger;
      trip.number = ++numbers;
      inFlight.push(trip);
    },
    succeeded(trip) {
      leave(trip);
      remember(trip);
    },
    failed: leave,
    replacedSince(trip, compile) {
      const all = later(returned, trip);
      return together(
        all.map(({ replaced }) => replaced),
        all.flatMap(({ globs }) => globs).map(compile),
      );
    },
    writtenSince(trip) {
      const back = later(returned, trip);
      const going = later(notLost(), trip);
      const globs = [...back.map((one) => one.globs), ...going.map(({ options }) => options.invalidates ?? [])];
      return together(
        [...back.map(({ written }) => written), ...going.map(({ commands }) => keySetOf(commands.filter(isWrite)))],
        globs.flat().map(mayMatchGlob),
      );
    },
    nextNumber: () => ++numbers,
  };
  return ledger;
}
