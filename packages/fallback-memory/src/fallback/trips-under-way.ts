import { type Command, isRepeatable } from "@continuum-cache/core";

/** A trip that the primary has not answered. */
export interface TripUnderWay {
  readonly commands: readonly Command[];
  /** Its caller gets this answer now, whatever the primary says later. */
  answer(): void;
}

/** The trips that the primary has not answered, in the order in which they were sent. */
export interface TripsUnderWay {
  add(trip: TripUnderWay): void;
  remove(trip: TripUnderWay): void;
  /**
   * Answers those that lose nothing by it: reads, and writes that may be done twice. A counter or a list would count
   * twice, so those wait for what the primary says, as long as their callers do.
   */
  answerAll(): void;
}

export function createTripsUnderWay(): TripsUnderWay {
  const trips = new Set<TripUnderWay>();
  return {
    add: (trip) => void trips.add(trip),
    remove: (trip) => void trips.delete(trip),
    answerAll() {
      for (const trip of trips) {
        if (!trip.commands.every(isRepeatable)) continue;
        trips.delete(trip);
        trip.answer();
      }
    },
  };
}
