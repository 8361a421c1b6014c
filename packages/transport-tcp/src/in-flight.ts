import { createDebts } from "./debts.ts";
import type { Trip } from "./trip.ts";

/** The trips of a connection: those that wait to be written, then those that wait for their replies. */
export interface InFlight {
  /** Not written yet, in order. */
  readonly waiting: ReadonlySet<Trip>;
  /** Whether replies are missing. */
  readonly isOwed: boolean;
  /** When the oldest trip was written that lacks replies; undefined when nothing is missing. */
  readonly owedSince: number | undefined;
  readonly load: { readonly commands: number; readonly bytes: number };
  /** Takes in a trip. */
  enter(trip: Trip, waits: boolean): void;
  /** It is about to be written. */
  written(trip: Trip): void;
  /** All replies of a written trip have come. */
  answered(trip: Trip): void;
  /** Takes out a trip that still waits. @returns whether it did */
  takeBack(trip: Trip): boolean;
  /** Written and lacking replies, in order. */
  owed(): readonly Trip[];
}

export function createInFlight(): InFlight {
  const waiting = new Set<Trip>();
  const debts = createDebts();
  const load = { commands: 0, bytes: 0 };

  const leave = (trip: Trip): void => {
    load.commands -= trip.wire.length;
    load.bytes -= trip.bytes;
    trip.onGone?.();
  };

  return {
    waiting,
    load,
    get isOwed() {
      return debts.oldest() !== undefined;
    },
    get owedSince() {
      return debts.oldest()?.writtenAt;
    },
    enter(trip, waits) {
      load.commands += trip.wire.length;
      load.bytes += trip.bytes;
      if (waits) waiting.add(trip);
    },
    written(trip) {
      waiting.delete(trip);
      debts.add(trip);
    },
    answered(trip) {
      debts.clear();
      leave(trip);
    },
    takeBack(trip) {
      const waited = waiting.delete(trip);
      if (waited) leave(trip);
      return waited;
    },
    owed: debts.trips,
  };
}
