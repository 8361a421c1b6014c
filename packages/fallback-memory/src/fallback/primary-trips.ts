import {
  type Command,
  compileGlob,
  createSentTrips,
  type Dispatch,
  defaultTimeoutMs,
  dispatchOf,
  isOutage,
  isTransportError,
  type Reply,
  type ReplyHandler,
  type RoundTrip,
  type SendOptions,
  type SentTrips,
  sendThrough,
  settleInto,
  type Transport,
  type TransportError,
  type WrittenKeys,
} from "@continuum-cache/core";
import type { Fate } from "../journal/noting.ts";
import type { KnownValues } from "./known-values.ts";
import { createPatternRuns, type PatternRuns } from "./pattern-runs.ts";
import { createTripsUnderWay, type TripsUnderWay, type TripUnderWay } from "./trips-under-way.ts";

/** The trips to the primary, each of which has an answer: the primary's, or, when that is away, the local memory's. */
export interface PrimaryTrips {
  /** The primary, of whose answers note is taken. */
  readonly primary: Transport;
  /** Sends a trip there, which the local memory answers when the primary is away. */
  readonly ask: Dispatch;
  /** Sends a trip there, which is answered by the primary or not at all. */
  readonly insist: Dispatch;
  /** The primary is left: the local memory answers at once what loses nothing by it. */
  leaveAll(): void;
  /** Resolves when nothing that was asked until now can reach the primary any more. */
  over(): Promise<void>;
}

/** What is known of a trip that the primary has left without an answer. */
export interface Unanswered {
  /** Whether the primary may have done it. */
  readonly fate: Fate;
  /** Keys that the primary has replaced for later trips: what this one writes there is over already. */
  readonly replaced: WrittenKeys;
}

export interface PrimaryTripsOptions {
  readonly primary: Transport;
  readonly known: KnownValues;
  /** The primary has answered a trip, while it was asked or even afterwards. */
  readonly onAnswer: (commands: readonly Command[], options: SendOptions | undefined) => void;
  /** The primary has left a trip without an answer. */
  readonly onOutage: (error: TransportError) => void;
  /** Whether the primary is away. */
  readonly isAway: () => boolean;
  /** Answers in the primary's place. */
  readonly answer: (
    commands: readonly Command[],
    options: SendOptions | undefined,
    unanswered: Unanswered,
  ) => Promise<Reply[]>;
}

/** A trip has ended by so long after its deadline. */
const graceMs = 100;

export function createPrimaryTrips(options: PrimaryTripsOptions): PrimaryTrips {
  const { primary, known } = options;
  const underWay = createTripsUnderWay();
  const notes: Notes = { known, runs: createPatternRuns(), ledger: createSentTrips(), dispatch: dispatchOf(primary) };
  const insist: Dispatch = (trip, handler) => new NotedTrip(notes, trip, handler).begin();
  return {
    primary: { ...primary, send: sendThrough(insist, defaultTimeoutMs) },
    ask: (trip, handler) => new AskedTrip(notes, underWay, options, trip, handler).begin(),
    insist,
    leaveAll: () => underWay.answerAll(),
    over: () => underWay.over(),
  };
}

/** What is noted of all trips. */
interface Notes {
  readonly known: KnownValues;
  readonly runs: PatternRuns;
  readonly ledger: SentTrips;
  readonly dispatch: Dispatch;
}

/** A trip to the primary, of whose answer note is taken. */
class NotedTrip implements ReplyHandler {
  readonly #notes: Notes;
  readonly #handler: ReplyHandler;
  readonly #trip: RoundTrip;
  #number = 0;

  constructor(notes: Notes, trip: RoundTrip, handler: ReplyHandler) {
    this.#notes = notes;
    this.#trip = trip;
    this.#handler = handler;
  }

  begin(): void {
    const { known, runs, ledger, dispatch } = this.#notes;
    const { commands, options, endsMs } = this.#trip;
    ledger.add(this.#trip, endsMs + graceMs);
    this.#number = known.left(commands);
    if (options.invalidates) runs.left(this.#number, commands, options.invalidates);
    dispatch(this.#trip, this);
  }

  answered(replies: Reply[]): void {
    const { known, runs, ledger } = this.#notes;
    const { commands, options } = this.#trip;
    ledger.succeeded(this.#trip);
    known.arrived(this.#number, commands, replies);
    if (options.invalidates) {
      const seen = runs.arrived(commands, replies, options.invalidates);
      for (const { glob, fromTrip } of seen) known.forget(compileGlob(glob), fromTrip);
    }
    this.#handler.answered(replies);
  }

  failed(error: unknown): void {
    this.#notes.ledger.failed(this.#trip);
    this.#handler.failed(error);
  }
}

/** A trip that the local memory answers when the primary does not. */
class AskedTrip implements ReplyHandler, TripUnderWay {
  readonly commands: readonly Command[];
  readonly endsAt: number;
  readonly #notes: Notes;
  readonly #underWay: TripsUnderWay;
  readonly #options: PrimaryTripsOptions;
  readonly #trip: RoundTrip;
  readonly #handler: ReplyHandler;
  #fate: Fate = "unknown";

  constructor(
    notes: Notes,
    underWay: TripsUnderWay,
    options: PrimaryTripsOptions,
    trip: RoundTrip,
    handler: ReplyHandler,
  ) {
    leaveTime(trip);
    trip.isAnswered = false;
    this.commands = trip.commands;
    this.endsAt = trip.endsMs + graceMs;
    this.#notes = notes;
    this.#underWay = underWay;
    this.#options = options;
    this.#trip = trip;
    this.#handler = handler;
  }

  get isAnswered(): boolean {
    return this.#trip.isAnswered === true;
  }

  begin(): void {
    this.#underWay.add(this);
    new NotedTrip(this.#notes, this.#trip, this).begin();
  }

  /** The local memory answers. */
  answer(): void {
    const { commands, options, ledger } = this.#trip;
    this.#trip.isAnswered = true;
    const replaced = (ledger as SentTrips).replacedSince(this.#trip);
    settleInto(this.#handler, () => this.#options.answer(commands, options, { fate: this.#fate, replaced }));
  }

  answered(replies: Reply[]): void {
    this.#underWay.remove(this);
    if (this.isAnswered) return;
    this.#options.onAnswer(this.commands, this.#trip.options);
    this.#handler.answered(replies);
  }

  failed(error: unknown): void {
    const { isAway, onOutage } = this.#options;
    // One that waited behind others says nothing of the primary, but need not wait any more when that is away.
    const isDue = isOutage(error) || (isTransportError(error) && error.queued === true && isAway());
    if (isDue) {
      this.#fate = error.delivery;
      if (isOutage(error)) onOutage(error);
      // Unless it was answered with the others, in its turn.
      if (!this.isAnswered) this.answer();
    } else if (!this.isAnswered) {
      this.#handler.failed(error);
    }
    this.#underWay.remove(this);
  }
}

/** The primary gets a part of a call's time: a little is left for the local answer, so that it too comes before the deadline. */
function leaveTime(trip: RoundTrip): void {
  const wholeMs = trip.endsMs - performance.now();
  trip.endsMs -= Math.min(100, Math.ceil(wholeMs / 5));
}
