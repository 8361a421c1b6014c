import type { Command, Reply, SendOptions } from "../ports/transport.ts";
import type { SentTrips } from "./sent-trips.ts";

/**
 * One round trip, from the batch that collects its commands to the connection that carries it. All layers on its way read
 * and write this one object, so that none of them needs a promise, a timer or a record of its own.
 */
export class RoundTrip {
  readonly commands: readonly Command[];
  /** What its caller asks for. */
  readonly options: SendOptions;
  /** By `performance.now()`. */
  readonly startedMs: number = performance.now();
  /**
   * When the layer below has to have told the outcome, by `performance.now()`. A layer that needs some of the caller's
   * time for itself moves it forward before it passes the trip on.
   */
  endsMs: number;
  /**
   * Whether its caller has an answer already, so that another attempt could only undo what has happened since. Undefined
   * where only the layers below can answer.
   */
  isAnswered: boolean | undefined = undefined;
  /** Where trips are compared with those that overtook them, and this trip's number there. */
  ledger: SentTrips | undefined = undefined;
  number = 0;

  constructor(commands: readonly Command[], options: SendOptions, defaultTimeoutMs: number) {
    this.commands = commands;
    this.options = options;
    this.endsMs = this.startedMs + (options.timeoutMs ?? defaultTimeoutMs);
  }

  /** How much time the layer below has, in whole milliseconds; at least 1. */
  get leftMs(): number {
    // The sum of two times is not exact.
    return Math.max(1, Math.ceil(this.endsMs - performance.now() - 1e-6));
  }

  /** Whether somebody waits for it, so that another attempt makes sense. */
  get isWanted(): boolean {
    return !this.isAnswered && (this.options.isWanted?.() ?? true);
  }
}

/** Hears of a round trip: exactly one of the two methods is called, once. Neither may throw. */
export interface ReplyHandler {
  /** @param replies - One for each command. */
  answered(replies: Reply[]): void;
  /** @param error - A `TransportError`, unless a third party's transport broke its promise. */
  failed(error: unknown): void;
}
