import {
  type Command,
  defaultTimeoutMs,
  isOutage,
  type Reply,
  type SendOptions,
  type Transport,
  type TransportError,
} from "@continuum-cache/core";
import type { Fate } from "../journal/outage-journal.ts";
import type { KnownValues } from "./known-values.ts";
import { createTripsUnderWay, type TripUnderWay } from "./trips-under-way.ts";

/** The trips to the primary, each of which has an answer: the primary's, or, when that is away, somebody else's. */
export interface PrimaryTrips {
  /** The primary, of whose answers note is taken. */
  readonly primary: Transport;
  ask(commands: readonly Command[], options: SendOptions | undefined): Promise<Reply[]>;
  /** The primary is left: whoever loses nothing by it is answered by somebody else at once. */
  leaveAll(): void;
}

export interface PrimaryTripsOptions {
  readonly primary: Transport;
  readonly known: KnownValues;
  /** The primary has left a trip without an answer. */
  readonly onOutage: (error: TransportError) => void;
  /** Answers in the primary's place. */
  readonly answer: (commands: readonly Command[], options: SendOptions | undefined, fate: Fate) => Promise<Reply[]>;
}

export function createPrimaryTrips({ primary, known, onOutage, answer }: PrimaryTripsOptions): PrimaryTrips {
  const underWay = createTripsUnderWay();

  const send: Transport["send"] = async (commands, options) => {
    const trip = known.left(commands);
    const replies = await primary.send(commands, options);
    known.arrived(trip, commands, replies);
    return replies;
  };

  return {
    primary: { ...primary, send },
    leaveAll: () => underWay.answerAll(),
    ask: (commands, options) =>
      new Promise((resolve, reject) => {
        let fate: Fate = "unknown";
        let isAnswered = false;
        const trip: TripUnderWay = {
          commands,
          answer() {
            isAnswered = true;
            underWay.remove(trip);
            resolve(answer(commands, options, fate));
          },
        };
        underWay.add(trip);
        send(commands, leavingTime(options)).then(
          (replies) => {
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
            onOutage(error);
            // Unless it was answered with the others, in its turn.
            if (!isAnswered) trip.answer();
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
