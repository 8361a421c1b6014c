import { TransportError } from "../errors/transport-error.ts";
import type { Command, Reply, SendOptions, Transport } from "../ports/transport.ts";
import { createSentTrips, type SentTrips } from "./sent-trips.ts";

/**
 * One round trip, from the batch that collects its commands to the connection that carries it. All layers on its way read
 * and write this one object, so that none of them needs a promise, a timer or a record of its own.
 */
export class RoundTrip {
  readonly commands: readonly Command[];
  /** What its caller asks for. */
  readonly options: SendOptions;
  /**
   * When the layer below has to have told the outcome, by `performance.now()`. A layer that needs some of the caller's
   * time for itself moves it forward before it passes the trip on.
   */
  endsMs: number;
  /** Answers in the place of the layers below, where something can. */
  standIn: StandIn | undefined = undefined;
  /** Where trips are compared with those that overtook them, and this trip's number there. */
  ledger: SentTrips | undefined = undefined;
  number = 0;

  constructor(commands: readonly Command[], options: SendOptions, defaultTimeoutMs: number) {
    this.commands = commands;
    this.options = options;
    this.endsMs = performance.now() + (options.timeoutMs ?? defaultTimeoutMs);
  }

  /** How much time the layer below has, in whole milliseconds; at least 1. */
  get leftMs(): number {
    // The sum of two times is not exact.
    return Math.max(1, Math.ceil(this.endsMs - performance.now() - 1e-6));
  }

  /** Whether a caller waits for it, so that another attempt makes sense. */
  get isWanted(): boolean {
    return !this.standIn?.hasAnswered && (this.options.isWanted?.() ?? true);
  }
}

/** What may answer a round trip while the layers below are still at work on it. */
export interface StandIn {
  /** The caller has an answer already: another attempt below could only undo what has happened since. */
  readonly hasAnswered: boolean;
}

/** Hears of a round trip: exactly one of the two methods is called, once. Neither may throw. */
export interface ReplyHandler {
  /** @param replies - One for each command. */
  answered(replies: Reply[]): void;
  /** @param error - A `TransportError`, unless a third party's transport broke its promise. */
  failed(error: unknown): void;
}

/**
 * Sends a round trip and tells its handler the outcome, in this turn of the event loop or later. It throws nothing, but for what
 * is no command.
 */
export type Dispatch = (trip: RoundTrip, handler: ReplyHandler) => void;

/** How a transport takes round trips directly, and the `send` that means the same. */
interface Dispatcher {
  readonly send: Transport["send"];
  readonly dispatch: Dispatch;
  readonly ledger: SentTrips | undefined;
}

const dispatchers = new WeakMap<Transport, Dispatcher>();

/**
 * Notes that a transport takes round trips directly, without the promises of `send`.
 *
 * It is no member of the transport: a decorator that copies a transport and replaces its `send` must never be passed by.
 *
 * @param ledger - Where it compares the trips that come in no ledger. See {@link ledgerOf}.
 */
export function offersDispatch<Own extends Transport>(transport: Own, dispatch: Dispatch, ledger?: SentTrips): Own {
  dispatchers.set(transport, { send: transport.send, dispatch, ledger });
  return transport;
}

/** Where to compare the trips that go through a transport: with those of other callers, where it compares trips itself. */
export function ledgerOf(transport: Transport): SentTrips {
  return dispatchers.get(transport)?.ledger ?? createSentTrips();
}

/**
 * How to send round trips through a transport: directly where it offers that, else by its `send`.
 *
 * @param bySend - Replaces the plain call of `send`.
 */
export function dispatchOf(transport: Transport, bySend: Dispatch = throughSend(transport)): Dispatch {
  return (trip, handler) => {
    const own = dispatchers.get(transport);
    // Its `send` may have been replaced since, by a test or a tracer.
    if (own?.send === transport.send) own.dispatch(trip, handler);
    else bySend(trip, handler);
  };
}

/** Sends round trips by a transport's `send`. What it resolves to is checked: it may be the code of a third party. */
export function throughSend(transport: Pick<Transport, "name" | "send">): Dispatch {
  return (trip, handler) => {
    const { commands } = trip;
    const checked: ReplyHandler = {
      answered(replies) {
        if (Array.isArray(replies) && replies.length === commands.length) handler.answered(replies);
        else handler.failed(wrongCountError(transport.name, commands.length, replies));
      },
      failed: (error) => handler.failed(error),
    };
    settleInto(checked, () => transport.send(commands, sendOptionsOf(trip)));
  };
}

function wrongCountError(transport: string, expected: number, replies: unknown): TransportError {
  const got = Array.isArray(replies) ? String(replies.length) : "no list";
  const text = `Expected one reply for each command, ${expected} in all, got ${got}`;
  return new TransportError("protocol", `${text} (the transport "${transport}" has to bring them)`, { transport });
}

/** What a transport has to know of a round trip, as the options of `send`. */
function sendOptionsOf(trip: RoundTrip): SendOptions {
  const options = { ...trip.options, timeoutMs: trip.leftMs };
  return trip.standIn ? { ...options, isWanted: () => trip.isWanted } : options;
}

/** Tells a handler what becomes of some asynchronous work. */
export function settleInto(handler: ReplyHandler, work: () => Promise<Reply[]>): void {
  let answer: Promise<Reply[]>;
  try {
    // A third party's `send` may forget the promise.
    answer = Promise.resolve(work());
  } catch (error) {
    handler.failed(error);
    return;
  }
  answer.then(
    (replies) => handler.answered(replies),
    (error: unknown) => handler.failed(error),
  );
}

/** The `send` of a transport that takes round trips directly. */
export function sendThrough(dispatch: Dispatch, defaultTimeoutMs: number): Transport["send"] {
  return (commands, options = {}) =>
    new Promise((answered, failed) => {
      dispatch(new RoundTrip(commands, options, defaultTimeoutMs), { answered, failed });
    });
}
