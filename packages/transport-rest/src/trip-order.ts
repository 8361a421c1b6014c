import type { Command } from "@continuum-cache/core";
import { createKeyOrder, hasLastingTimers, isRepeatable, isWrite, type KeyTurn } from "@continuum-cache/core/kit";

/** Keeps trips that touch the same key in the order in which they came: requests travel on several connections. */
export interface TripOrder {
  /** @param timeoutMs - Later trips pass one that has not left by then. */
  enter(commands: readonly Command[], timeoutMs: number): KeyTurn;
}

/** A trip in flight whose keys have not been looked at. */
interface Loose {
  readonly commands: readonly Command[];
  readonly endsMs: number;
  /** Its place among the others, from the moment at which it could matter. */
  place: KeyTurn | undefined;
}

/**
 * The order of core, entered as late as can be: a trip that is alone in flight, and trips that only read, have nothing to wait
 * for, so their keys are looked at only when a trip comes that could overtake them.
 *
 * On the edge every trip enters at once, since its place must be kept by its own request, which may vanish.
 */
export function createTripOrder(): TripOrder {
  const order = createKeyOrder();
  /** One trip, or several that only read. While there are some, `entered` is 0. */
  const loose = new Set<Loose>();
  /** How many trips in flight have a place in the order. */
  let entered = 0;

  const mayStayLoose = (commands: readonly Command[]): boolean => {
    if (entered > 0) return false;
    const [first] = loose;
    return first === undefined || ((loose.size > 1 || onlyReads(first.commands)) && onlyReads(commands));
  };
  const place = (trip: Loose, timeoutMs: number): KeyTurn => {
    entered++;
    trip.place = order.enter(trip.commands, timeoutMs);
    return trip.place;
  };

  return {
    enter(commands, timeoutMs) {
      if (!hasLastingTimers()) return order.enter(commands, timeoutMs);
      const nowMs = performance.now();
      const trip: Loose = { commands, endsMs: nowMs + timeoutMs, place: undefined };
      const isLoose = mayStayLoose(commands);
      if (isLoose) loose.add(trip);
      else {
        for (const earlier of loose) place(earlier, Math.max(0, earlier.endsMs - nowMs));
        loose.clear();
      }
      const own = isLoose ? undefined : place(trip, timeoutMs);
      return {
        mustWait: own?.mustWait ?? false,
        turn: (wait) => own?.turn(wait) ?? Promise.resolve(true),
        leave() {
          if (loose.delete(trip) || !trip.place) return;
          trip.place.leave();
          trip.place = undefined;
          entered--;
        },
      };
    },
  };
}

/** Whether none of the commands changes anything, or publishes. */
const onlyReads = (commands: readonly Command[]): boolean =>
  commands.every((command) => !isWrite(command) && isRepeatable(command));
