import type { Command, Reply } from "@continuum-cache/core";
import { Trip } from "../src/trip/trip.ts";

/**
 * A trip, and the promise of its replies.
 *
 * @param onAnswer - Called when it is answered, before the promise resolves.
 */
export function promisedTrip(
  commands: readonly Command[],
  atomic = false,
  onAnswer: () => void = () => {},
): { readonly trip: Trip; readonly answered: Promise<Reply[]> } {
  let trip: Trip | undefined;
  const answered = new Promise<Reply[]>((resolve, reject) => {
    const answered = (replies: Reply[]): void => {
      onAnswer();
      resolve(replies);
    };
    trip = new Trip(commands, atomic, { answered, failed: reject });
  });
  return { trip: trip as unknown as Trip, answered };
}
