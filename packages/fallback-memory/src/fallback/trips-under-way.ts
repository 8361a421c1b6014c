import { type Command, createExpiringSet, isRepeatable, within } from "@continuum-cache/core";

/** A trip that the primary has not answered. */
export interface TripUnderWay {
  readonly commands: readonly Command[];
  /** When it is over in any case, by `performance.now()`. On the edge it may end with its request, and nobody is told. */
  readonly endsAt: number;
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
  const trips = createExpiringSet<TripUnderWay>();
  let onRemove: (() => void)[] = [];
  return {
    add: (trip) => trips.add(trip, trip.endsAt - performance.now()),
    remove(trip) {
      trips.delete(trip);
      for (const look of onRemove) look();
    },
    answerAll() {
      for (const trip of trips) {
        if (!trip.isAnswered && trip.commands.every(isRepeatable)) trip.answer();
      }
    },
    async over() {
      const present = [...trips];
      const isOver = (): boolean => {
        const left = new Set(trips);
        return present.every((trip) => !left.has(trip));
      };
      if (isOver()) return;
      let look = (): void => {};
      const removed = new Promise<void>((resolve) => {
        look = () => {
          if (isOver()) resolve();
        };
      });
      onRemove.push(look);
      await within(Math.max(...present.map(({ endsAt }) => endsAt)) - performance.now(), removed);
      onRemove = onRemove.filter((other) => other !== look);
    },
  };
}
