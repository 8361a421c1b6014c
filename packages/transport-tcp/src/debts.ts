import type { Trip } from "./trip.ts";

/** A trip that was written and not wholly answered. */
export interface Debt {
  readonly trip: Trip;
  /** By `performance.now()`. */
  readonly writtenAt: number;
  /** How many replies are still to come. */
  left: number;
}

/** What a connection owes, oldest first. Redis answers in order, so debts are paid in order. */
export interface Debts {
  add(debt: Debt): void;
  oldest(): Debt | undefined;
  /** Forgets the debts at the front that are paid. */
  clear(): void;
  trips(): readonly Trip[];
}

export function createDebts(): Debts {
  let items: (Debt | undefined)[] = [];
  let front = 0;
  return {
    add(debt) {
      items.push(debt);
    },
    oldest: () => items[front],
    clear() {
      while (items[front]?.left === 0) items[front++] = undefined;
      if (front === items.length) items.length = front = 0;
      else if (front >= 1_024) [items, front] = [items.slice(front), 0];
    },
    trips: () => items.slice(front).flatMap((debt) => (debt && debt.left > 0 ? [debt.trip] : [])),
  };
}
