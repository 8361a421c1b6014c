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
import type { FailoverController } from "../failover/failover-controller.ts";
import type { Gate } from "../failover/gate.ts";
import type { Delivery } from "../journal/write-context.ts";
import type { LastSeenValues } from "../last-seen/last-seen-values.ts";
import type { UnconfirmedPublishes } from "../messages/unconfirmed-publishes.ts";
import { createScanDeletes, type ScanDeletes } from "./scan-deletes.ts";

/** Sends trips to the primary. The local memory answers those that the primary leaves without an answer. */
export interface PrimaryTrips {
  /** The primary as a transport. Its answers update the last seen values. */
  readonly primary: Transport;
  /** Sends a trip to the backend that answers now. */
  readonly dispatch: Dispatch;
  /** Sends a trip to the primary; the local memory answers if the primary is away. */
  readonly sendWithFallback: Dispatch;
  /** Sends a trip to the primary; the trip fails if the primary is away. */
  readonly sendToPrimary: Dispatch;
  /** The primary is away: the local memory answers all trips in flight that may run twice. */
  goLocal(): void;
  /** Resolves when none of the trips in flight can reach the primary any more. */
  settled(): Promise<void>;
}

/** What is known of a trip that the primary has left without an answer. */
export interface Unanswered {
  /** Whether the primary may have run it. */
  readonly delivery: Delivery;
  /** Keys that later trips have replaced at the primary: what this trip writes to them is outdated already. */
  readonly replaced: WrittenKeys;
}

export interface PrimaryTripsOptions {
  readonly primary: Transport;
  readonly ledger: WriteLedger;
  readonly lastSeen: LastSeenValues;
  readonly unconfirmed: UnconfirmedPublishes;
  readonly gate: Gate;
  readonly backend: FailoverController;
  readonly lifetime: Lifetime;
  /**
   * Sends a trip that can't go straight to the primary, as a new trip: the primary is away, or the replay has not
   * ended, or a layer above has this trip in its ledger.
   */
  readonly sendSlowly: Dispatch;
  /** Sends a trip with `fallback: false`. */
  readonly sendPrimaryOnly: Dispatch;
  /** The primary has answered a trip during an outage. */
  readonly onLateAnswer: (commands: readonly Command[], options: SendOptions) => void;
  /** Answers in the primary's place. */
  readonly answer: (commands: readonly Command[], options: SendOptions, unanswered: Unanswered) => Promise<Reply[]>;
}

/** The beginning and the end of a fallback's life. */
export interface Lifetime {
  /** Pending while the journal of an earlier process is read. */
  opening: Promise<void> | undefined;
  closing: Promise<void> | undefined;
  /** The deadline of the latest trip to the primary. */
  latestTimeoutMs: number;
}

/** Each trip has ended this long after its deadline. */
const graceMs = 100;

export function createPrimaryTrips(options: PrimaryTripsOptions): PrimaryTrips {
  const { primary, ledger, lastSeen, unconfirmed, gate, backend, lifetime, sendSlowly, sendPrimaryOnly } = options;
  const mayVanish = !hasLastingTimers();
  const parts: Parts = { ...options, scans: createScanDeletes(), dispatch: dispatchOf(primary), mayVanish };
  const sendToPrimary: Dispatch = (trip, handler) => new PrimaryTrip(parts, trip, handler).begin();
  const sendWithFallback: Dispatch = (trip, handler) => {
    const isOver = unconfirmed.listeners > 0 ? unconfirmed.track(trip.commands) : undefined;
    new FallbackTrip(parts, trip, isOver ? telling(handler, isOver) : handler).begin();
  };
  // The ledger also holds trips that other transports send through the same primary.
  const inFlight = (): FallbackTrip[] =>
    ledger.inFlight
      .map(({ fallbackAnswer }) => fallbackAnswer)
      .filter((answer) => answer instanceof FallbackTrip)
      .filter((trip) => trip.isOf(parts));

  return {
    primary: { ...primary, send: sendThrough(sendToPrimary, defaultTimeoutMs) },
    dispatch(trip, handler) {
      if (lifetime.opening || lifetime.closing || gate.claim || backend.isLocal || trip.ledger) {
        sendSlowly(trip, handler);
      } else if (trip.options.fallback === false) {
        sendPrimaryOnly(trip, handler);
      } else {
        lifetime.latestTimeoutMs = trip.options.timeoutMs ?? defaultTimeoutMs;
        sendWithFallback(trip, handler);
      }
    },
    sendWithFallback,
    sendToPrimary,
    goLocal() {
      for (const { writes, number, commands } of ledger.inFlight) if (writes) lastSeen.markUncertain(number, commands);
      for (const trip of inFlight()) trip.answerIfRepeatable();
    },
    async settled() {
      await Promise.all(inFlight().map((trip) => trip.settled()));
    },
  };
}

/** A handler that calls `isOver` before it settles. */
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
  readonly scans: ScanDeletes;
  readonly dispatch: Dispatch;
  /** Whether a trip may vanish with the request that sent it, without an answer or an error. */
  readonly mayVanish: boolean;
}

/** A trip to the primary. Its answer updates the last seen values. */
class PrimaryTrip implements ReplyHandler {
  protected readonly parts: Parts;
  protected readonly trip: RoundTrip;
  protected readonly handler: ReplyHandler;
  #isRecorded = false;

  constructor(parts: Parts, trip: RoundTrip, handler: ReplyHandler) {
    this.parts = parts;
    this.trip = trip;
    this.handler = handler;
  }

  begin(): void {
    const { scans, ledger, backend, dispatch, mayVanish } = this.parts;
    const { trip } = this;
    const { commands, options } = trip;
    ledger.add(trip);
    if (backend.isLocal || mayVanish) this.markUncertain();
    if (options.invalidates) scans.started(trip.number, commands, options.invalidates);
    dispatch(trip, this);
  }

  answered(replies: Reply[]): void {
    if (this.record(replies)) this.handler.answered(replies);
  }

  failed(error: unknown): void {
    this.end();
    this.handler.failed(error);
  }

  /** Records that the trip has failed. */
  protected end(): void {
    this.parts.ledger.failed(this.trip);
    this.markUncertain();
  }

  /** The trip may have written its keys: their last seen values are uncertain. */
  protected markUncertain(): void {
    if (this.trip.writes) this.parts.lastSeen.markUncertain(this.trip.number, this.trip.commands);
  }

  /** @returns whether the caller gets the answer now. If not, `answered` is called once more when it does. */
  protected record(replies: Reply[]): boolean {
    if (this.#isRecorded) return true;
    this.#isRecorded = true;
    const { lastSeen, scans, ledger } = this.parts;
    const { commands, options, number } = this.trip;
    ledger.succeeded(this.trip);
    lastSeen.recordReplies(number, commands, replies);
    const completed = options.invalidates && scans.recordReplies(commands, replies, options.invalidates);
    if (!completed?.length) return true;
    const forgotten = completed.map(({ glob, fromTrip }) => lastSeen.forgetOlder(compileGlob(glob), fromTrip));
    void Promise.all(forgotten).then(() => this.answered(replies));
    return false;
  }
}

/** A trip that the local memory answers when the primary does not. */
class FallbackTrip extends PrimaryTrip implements FallbackAnswer {
  hasAnswered = false;
  #delivery: Delivery = "unknown";
  /** For `settled`, which waits for the end of this trip. */
  #claim: Claim | undefined = undefined;

  constructor(parts: Parts, trip: RoundTrip, handler: ReplyHandler) {
    super(parts, trip, handler);
    leaveTimeForMemory(trip);
    trip.fallbackAnswer = this;
  }

  isOf(parts: Parts): boolean {
    return this.parts === parts;
  }

  override answered(replies: Reply[]): void {
    if (!this.record(replies)) return;
    this.#claim?.release();
    if (this.hasAnswered) return;
    const { backend, onLateAnswer } = this.parts;
    if (backend.isLocal) onLateAnswer(this.trip.commands, this.trip.options);
    this.handler.answered(replies);
  }

  override failed(error: unknown): void {
    // After the memory has answered, the error reports an outage that is known, or over by now.
    if (!this.hasAnswered) this.#fail(error);
    this.end();
    this.#claim?.release();
  }

  #fail(error: unknown): void {
    const { backend, lifetime } = this.parts;
    // An error of a queued trip says nothing about the primary. During an outage the memory answers that trip too.
    const isDue = isOutage(error) || (isTransportError(error) && error.queued === true && backend.isLocal);
    // Writes to the memory are lost while it is being closed.
    if (!isDue || lifetime.closing) {
      this.handler.failed(error);
      return;
    }
    this.#delivery = error.delivery;
    if (isOutage(error)) backend.goLocal(error);
    // `goLocal` may have answered it with the other trips, in their order.
    if (!this.hasAnswered) this.#answer();
  }

  /**
   * Lets the local memory answer if all commands may run twice. A counter or a list would count twice: such a trip
   * waits for the primary until its deadline.
   */
  answerIfRepeatable(): void {
    if (!this.hasAnswered && this.trip.commands.every(isRepeatable)) this.#answer();
  }

  /**
   * Resolves when this trip can't reach the primary any more. On the edge it may vanish with its request, without an
   * error.
   */
  async settled(): Promise<void> {
    const timeoutMs = Math.max(0, this.trip.deadlineMs + graceMs - performance.now());
    this.#claim ??= createClaim({ timeoutMs, renewMs: Number.POSITIVE_INFINITY });
    await this.#claim.released();
  }

  #answer(): void {
    const { commands, options } = this.trip;
    this.hasAnswered = true;
    const replaced = this.parts.ledger.replacedSince(this.trip, compileGlob);
    settleInto(this.handler, () => this.parts.answer(commands, options, { delivery: this.#delivery, replaced }));
  }
}

/** Shortens the deadline of the primary, so that a local answer too comes before the deadline of the call. */
function leaveTimeForMemory(trip: RoundTrip): void {
  const wholeMs = trip.deadlineMs - performance.now();
  trip.deadlineMs -= Math.min(100, Math.ceil(wholeMs / 5));
}
