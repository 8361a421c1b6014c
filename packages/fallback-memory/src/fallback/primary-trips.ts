import {
  type Command,
  compileGlob,
  createSentTrips,
  defaultTimeoutMs,
  isOutage,
  isTransportError,
  type Reply,
  type SendOptions,
  type Transport,
  type TransportError,
  type WrittenKeys,
} from "@continuum-cache/core";
import type { Fate } from "../journal/noting.ts";
import type { KnownValues } from "./known-values.ts";
import { createPatternRuns } from "./pattern-runs.ts";
import { createTripsUnderWay, type TripUnderWay } from "./trips-under-way.ts";

/** The trips to the primary, each of which has an answer: the primary's, or, when that is away, somebody else's. */
export interface PrimaryTrips {
  /** The primary, of whose answers note is taken. */
  readonly primary: Transport;
  ask(commands: readonly Command[], options: SendOptions | undefined): Promise<Reply[]>;
  /** The primary is left: whoever loses nothing by it is answered by somebody else at once. */
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
  const { primary, known, onAnswer, onOutage, isAway, answer } = options;
  const underWay = createTripsUnderWay();
  const runs = createPatternRuns();
  const sent = createSentTrips();

  const send: Transport["send"] = async (commands, options) => {
    const number = known.left(commands);
    const globs = options?.invalidates ?? [];
    if (globs.length > 0) runs.left(number, commands, globs);
    const replies = await primary.send(commands, options);
    known.arrived(number, commands, replies);
    const seen = globs.length > 0 ? runs.arrived(commands, replies, globs) : [];
    for (const { glob, fromTrip } of seen) known.forget(compileGlob(glob), fromTrip);
    return replies;
  };

  return {
    primary: { ...primary, send },
    leaveAll: () => underWay.answerAll(),
    over: () => underWay.over(),
    ask: (commands, options) =>
      new Promise((resolve, reject) => {
        let fate: Fate = "unknown";
        // Once it was answered here, another attempt could only undo what is done meanwhile.
        const own = { ...leavingTime(options), isWanted: () => !trip.isAnswered };
        const longestMs = (own.timeoutMs ?? defaultTimeoutMs) + graceMs;
        const order = sent.enter(commands, options?.invalidates, longestMs);
        const trip: TripUnderWay = {
          commands,
          endsAt: performance.now() + longestMs,
          isAnswered: false,
          answer() {
            trip.isAnswered = true;
            resolve(answer(commands, options, { fate, replaced: order.replacedSince() }));
          },
        };
        underWay.add(trip);
        send(commands, own).then(
          (replies) => {
            order.succeeded();
            underWay.remove(trip);
            if (trip.isAnswered) return;
            onAnswer(commands, options);
            resolve(replies);
          },
          (error) => {
            // One that waited behind others says nothing of the primary, but need not wait any more when that is away.
            const isDue = isOutage(error) || (isTransportError(error) && error.queued && isAway());
            if (isDue) {
              fate = error.delivery;
              if (isOutage(error)) onOutage(error);
              // Unless it was answered with the others, in its turn.
              if (!trip.isAnswered) trip.answer();
            } else if (!trip.isAnswered) {
              reject(error);
            }
            order.failed();
            underWay.remove(trip);
          },
        );
      }),
  };
}

/** The primary's part of a call's time: a little is left for the local answer, so that it too comes before the deadline. */
function leavingTime(options: SendOptions | undefined): SendOptions {
  const timeoutMs = options?.timeoutMs ?? defaultTimeoutMs;
  return { ...options, timeoutMs: timeoutMs - Math.min(100, Math.ceil(timeoutMs / 5)) };
}
