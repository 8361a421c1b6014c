import { type Command, isTransportError, type Reply, type SendOptions, type Transport } from "@continuum-cache/core";
import {
  type Claim,
  compileGlob,
  createClaim,
  type Dispatch,
  defaultTimeoutMs,
  dispatchOf,
  type FallbackAnswer,
  hasLastingTimers,
  isOutage,
  isRepeatable,
  type ReplyHandler,
  type RoundTrip,
  sendThrough,
  settleInto,
  type WriteLedger,
  type WrittenKeys,
} from "@continuum-cache/core/kit";
import type { Fate } from "../journal/noting.ts";
import type { KnownValues } from "../known/known-values.ts";
import type { BackendSwitch } from "./backend-switch.ts";
import type { DoubtfulMessages } from "./doubtful-messages.ts";
import type { Gate } from "./gate.ts";
import { createPatternRuns, type PatternRuns } from "./pattern-runs.ts";

/** The trips to the primary, each of which has an answer: the primary's, or, when that is away, the local memory's. */
export interface PrimaryTrips {
  /** The primary, of whose answers note is taken. */
  readonly primary: Transport;
  /** Sends a trip where it has to go now. */
  readonly dispatch: Dispatch;
  /** Sends a trip to the primary, which the local memory answers when that is away. */
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
  readonly ledger: WriteLedger;
  readonly known: KnownValues;
  readonly doubts: DoubtfulMessages;
  readonly gate: Gate;
  readonly backend: BackendSwitch;
  readonly lifetime: Lifetime;
  /**
   * Sends a trip that can't go straight to the primary, as a trip of its own: the primary is away, or not yet told everything,
   * or a layer above has this trip in its ledger.
   */
  readonly sendApart: Dispatch;
  /** Sends a trip that insists on the primary. */
  readonly insistOnPrimary: Dispatch;
  /** The primary has answered a trip though it is taken for away. */
  readonly onLateAnswer: (commands: readonly Command[], options: SendOptions) => void;
  /** Answers in the primary's place. */
  readonly answer: (commands: readonly Command[], options: SendOptions, unanswered: Unanswered) => Promise<Reply[]>;
}

/** How far a fallback has come between its construction and its end. */
export interface Lifetime {
  /** Pending while the journal of an earlier process is read. */
  opening: Promise<void> | undefined;
  closing: Promise<void> | undefined;
  /** Of the latest trip that the primary was asked. */
  latestTimeoutMs: number;
}

/** A trip has ended by so long after its deadline. */
const graceMs = 100;

export function createPrimaryTrips(options: PrimaryTripsOptions): PrimaryTrips {
  const { primary, ledger, known, doubts, gate, backend, lifetime, sendApart, insistOnPrimary } = options;
  const mayVanish = !hasLastingTimers();
  const parts: Parts = { ...options, runs: createPatternRuns(), dispatch: dispatchOf(primary), mayVanish };
  const insist: Dispatch = (trip, handler) => new PrimaryTrip(parts, trip, handler).begin();
  const ask: Dispatch = (trip, handler) => {
    const isOver = doubts.hearers > 0 ? doubts.follow(trip.commands) : undefined;
    new AskedTrip(parts, trip, isOver ? telling(handler, isOver) : handler).begin();
  };
  // Others may send through the same primary.
  const asked = (): AskedTrip[] =>
    ledger.inFlight
      .map(({ fallbackAnswer }) => fallbackAnswer)
      .filter((answer) => answer instanceof AskedTrip)
      .filter((trip) => trip.isOf(parts));

  return {
    primary: { ...primary, send: sendThrough(insist, defaultTimeoutMs) },
    dispatch(trip, handler) {
      if (lifetime.opening || lifetime.closing || gate.claim || backend.outage || trip.ledger) {
        sendApart(trip, handler);
      } else if (trip.options.fallback === false) {
        insistOnPrimary(trip, handler);
      } else {
        lifetime.latestTimeoutMs = trip.options.timeoutMs ?? defaultTimeoutMs;
        ask(trip, handler);
      }
    },
    ask,
    insist,
    leaveAll() {
      for (const { writes, number, commands } of ledger.inFlight) if (writes) known.doubt(number, commands);
      for (const trip of asked()) trip.answerIfHarmless();
    },
    async over() {
      await Promise.all(asked().map((trip) => trip.over()));
    },
  };
}

/** A handler that says first that its trip is over. */
const telling = (handler: ReplyHandler, isOver: () => void): ReplyHandler => ({
  answered(replies) {
    isOver();
    handler.answered(replies);
  },
  failed(error) {
    isOver();
    handler.failed(error);
  },
});

/** What all trips share. */
interface Parts extends PrimaryTripsOptions {
  readonly runs: PatternRuns;
  readonly dispatch: Dispatch;
  /** Whether a trip may vanish with the request that sent it, and never fail. */
  readonly mayVanish: boolean;
}

/** A trip to the primary, of whose answer note is taken. */
class PrimaryTrip implements ReplyHandler {
  protected readonly parts: Parts;
  protected readonly trip: RoundTrip;
  protected readonly handler: ReplyHandler;
  #isNoted = false;

  constructor(parts: Parts, trip: RoundTrip, handler: ReplyHandler) {
    this.parts = parts;
    this.trip = trip;
    this.handler = handler;
  }

  begin(): void {
    const { runs, ledger, backend, dispatch, mayVanish } = this.parts;
    const { trip } = this;
    const { commands, options } = trip;
    ledger.add(trip);
    if (backend.outage || mayVanish) this.doubt();
    if (options.invalidates) runs.left(trip.number, commands, options.invalidates);
    dispatch(trip, this);
  }

  answered(replies: Reply[]): void {
    if (this.note(replies)) this.handler.answered(replies);
  }

  failed(error: unknown): void {
    this.end();
    this.handler.failed(error);
  }

  /** It has failed. */
  protected end(): void {
    this.parts.ledger.failed(this.trip);
    this.doubt();
  }

  /** What it writes is not certain any more. */
  protected doubt(): void {
    if (this.trip.writes) this.parts.known.doubt(this.trip.number, this.trip.commands);
  }

  /** @returns whether the caller may be told now. If not, `answered` is called once more when it may. */
  protected note(replies: Reply[]): boolean {
    if (this.#isNoted) return true;
    this.#isNoted = true;
    const { known, runs, ledger } = this.parts;
    const { commands, options, number } = this.trip;
    ledger.succeeded(this.trip);
    known.arrived(number, commands, replies);
    const seen = options.invalidates && runs.arrived(commands, replies, options.invalidates);
    if (!seen?.length) return true;
    const forgotten = seen.map(({ glob, fromTrip }) => known.forget(compileGlob(glob), fromTrip));
    void Promise.all(forgotten).then(() => this.answered(replies));
    return false;
  }
}

/** A trip that the local memory answers when the primary does not. */
class AskedTrip extends PrimaryTrip implements FallbackAnswer {
  hasAnswered = false;
  #fate: Fate = "unknown";
  /** By this others wait for its end. */
  #claim: Claim | undefined = undefined;

  constructor(parts: Parts, trip: RoundTrip, handler: ReplyHandler) {
    super(parts, trip, handler);
    leaveTime(trip);
    trip.fallbackAnswer = this;
  }

  isOf(parts: Parts): boolean {
    return this.parts === parts;
  }

  override answered(replies: Reply[]): void {
    if (!this.note(replies)) return;
    this.#claim?.release();
    if (this.hasAnswered) return;
    const { backend, onLateAnswer } = this.parts;
    if (backend.outage) onLateAnswer(this.trip.commands, this.trip.options);
    this.handler.answered(replies);
  }

  override failed(error: unknown): void {
    // One that has an answer tells of an outage that is known, or over by now.
    if (!this.hasAnswered) this.#fail(error);
    this.end();
    this.#claim?.release();
  }

  #fail(error: unknown): void {
    const { backend, lifetime } = this.parts;
    // One that waited behind others says nothing of the primary, but need not wait any more when that is away.
    const isDue = isOutage(error) || (isTransportError(error) && error.queued === true && backend.outage !== undefined);
    // What the memory answers while it is being closed is lost.
    if (!isDue || lifetime.closing) {
      this.handler.failed(error);
      return;
    }
    this.#fate = error.delivery;
    if (isOutage(error)) backend.leave(error);
    // Unless it was answered with the others, in its turn.
    if (!this.hasAnswered) this.#answer();
  }

  /**
   * The local memory answers, if nothing is lost by it: reads, and writes that may be done twice. A counter or a list would
   * count twice, so those wait for what the primary says, as long as their callers do.
   */
  answerIfHarmless(): void {
    if (!this.hasAnswered && this.trip.commands.every(isRepeatable)) this.#answer();
  }

  /** Resolves when it can't reach the primary any more. On the edge it may end with its request, and tell nothing. */
  async over(): Promise<void> {
    const timeoutMs = Math.max(0, this.trip.deadlineMs + graceMs - performance.now());
    this.#claim ??= createClaim({ timeoutMs, renewMs: Number.POSITIVE_INFINITY });
    await this.#claim.released();
  }

  #answer(): void {
    const { commands, options } = this.trip;
    this.hasAnswered = true;
    const replaced = this.parts.ledger.replacedSince(this.trip, compileGlob);
    settleInto(this.handler, () => this.parts.answer(commands, options, { fate: this.#fate, replaced }));
  }
}

/** The primary gets a part of a call's time: a little is left for the local answer, so that it too comes before the deadline. */
function leaveTime(trip: RoundTrip): void {
  const wholeMs = trip.deadlineMs - performance.now();
  trip.deadlineMs -= Math.min(100, Math.ceil(wholeMs / 5));
}
