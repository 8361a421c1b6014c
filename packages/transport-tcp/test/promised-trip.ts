import type { Command, Reply } from "@continuum-cache/core";
import { Trip } from "../src/trip.ts";

/** A trip, and the promise of its replies. */
export function promisedTrip(
  commands: readonly Command[],
  atomic = false,
): { readonly trip: Trip; readonly answered: Promise<Reply[]> } {
  let trip: Trip | undefined;
  const answered = new Promise<Reply[]>((resolve, reject) => {
    trip = new Trip(commands, atomic, { answered: resolve, failed: reject });
  });
  return { trip: trip as unknown as Trip, answered };
}
