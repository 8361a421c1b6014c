import { type Command, isRepeatable } from "@continuum-cache/core";

/** A trip that the primary has not answered. */
export interface TripUnderWay {
  readonly commands: readonly Command[];
  /** Whether its caller has an answer already. */
  isAnswered: boolean;
  /** Its caller gets this answer now, whatever the primary says later. */
  answer(): void;
}

/** The trips that the primary has not answered, in the order in which they were sent. */
export interface TripsUnderWay {
  add(trip: TripUnderWay): void;
  /** The primary has answered, or will not. */
  remove(trip: TripUnderWay): void;
  /**
   * Answers those that lose nothing by it: reads, and writes that may be done twice. A counter or a list would count
   * twice, so those wait for what the primary says, as long as their callers do.
   */
  answerAll(): void;
  /** Resolves when none of the present ones can reach the primary any more. */
  over(): Promise<void>;
}

export function createTripsUnderWay(): TripsUnderWay {
  const trips = new Set<TripUnderWay>();
  let waiting: { readonly for: Set<TripUnderWay>; readonly go: () => void }[] = [];
  return {
    add: (trip) => void trips.add(trip),
    remove(trip) {
      trips.delete(trip);
      for (const one of waiting) {
        if (one.for.delete(trip) && one.for.size === 0) one.go();
      }
    },
    answerAll() {
      for (const trip of trips) {
        if (!trip.isAnswered && trip.commands.every(isRepeatable)) trip.answer();
      }
    },
    over() {
      if (trips.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const one = {
          for: new Set(trips),
          go() {
            waiting = waiting.filter((other) => other !== one);
            resolve();
          },
        };
        waiting.push(one);
      });
    },
  };
}
