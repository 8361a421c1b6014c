import type { Trip } from "./trip.ts";

/** What a connection owes, oldest first. Redis answers in order, so debts are paid in order. */
export interface Debts {
  add(trip: Trip): void;
  oldest(): Trip | undefined;
  /** Forgets the trips at the front of which nothing is missing. */
  clear(): void;
  trips(): readonly Trip[];
}

export function createDebts(): Debts {
  // Only what stands from `front` on is owed.
  let items: (Trip | undefined)[] = [];
  let front = 0;
  return {
    add(trip) {
      items.push(trip);
    },
    oldest: () => items[front],
    clear() {
      while (items[front]?.missing === 0) items[front++] = undefined;
      if (front === items.length) {
        items.length = 0;
        front = 0;
      } else if (front >= 1_024) {
        items = items.slice(front);
        front = 0;
      }
    },
    trips: () => items.slice(front).filter((trip) => trip !== undefined && trip.missing > 0) as Trip[],
  };
}
