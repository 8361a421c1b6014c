import type { Command } from "@continuum-cache/core";
import { createKeyOrder, hasLastingTimers, isRepeatable, isWrite, type KeyTurn } from "@continuum-cache/core/kit";

/** Keeps trips that touch the same key in the order in which they came: requests travel on several connections. */
export interface TripOrder {
  /** @param timeoutMs - Later trips pass one that has not left by then. */
  enter(commands: readonly Command[], timeoutMs: number): KeyTurn;
}

/** A trip in flight whose keys have not been looked at. */
interface UnorderedTrip {
  readonly commands: readonly Command[];
  readonly endsMs: number;
  /** Its turn among the others, from the moment at which it could matter. */
  turn: KeyTurn | undefined;
}

/**
 * The order of core, ordered as late as can be: a trip that is alone in flight, and trips that only read, have
 * nothing to wait for, so their keys are looked at only when a trip comes that could overtake them.
 *
 * On the edge every trip enters at once, since its turn must be kept by its own request, which may vanish.
 */
export function createTripOrder(): TripOrder {
  const order = createKeyOrder();
  /** One trip, or several that only read. While there are some, `ordered` is 0. */
  const unordered = new Set<UnorderedTrip>();
  /** How many trips in flight have a turn in the order. */
  let ordered = 0;

  const mayStayUnordered = (commands: readonly Command[]): boolean => {
    if (ordered > 0) return false;
    const [first] = unordered;
    return first === undefined || ((unordered.size > 1 || onlyReads(first.commands)) && onlyReads(commands));
  };
  const turn = (trip: UnorderedTrip, timeoutMs: number): KeyTurn => {
    ordered++;
    trip.turn = order.enter(trip.commands, timeoutMs);
    return trip.turn;
  };

  return {
    enter(commands, timeoutMs) {
      if (!hasLastingTimers()) return order.enter(commands, timeoutMs);
      const nowMs = performance.now();
      const trip: UnorderedTrip = { commands, endsMs: nowMs + timeoutMs, turn: undefined };
      const isUnordered = mayStayUnordered(commands);
      if (isUnordered) unordered.add(trip);
      else {
        for (const earlier of unordered) turn(earlier, Math.max(0, earlier.endsMs - nowMs));
        unordered.clear();
      }
      const own = isUnordered ? undefined : turn(trip, timeoutMs);
      return {
        mustWait: own?.mustWait ?? false,
        turn: (wait) => own?.turn(wait) ?? Promise.resolve(true),
        leave() {
          if (unordered.delete(trip) || !trip.turn) return;
          trip.turn.leave();
          trip.turn = undefined;
          ordered--;
        },
      };
    },
  };
}

/** Whether none of the commands changes anything, or publishes. */
const onlyReads = (commands: readonly Command[]): boolean =>
  commands.every((command) => !isWrite(command) && isRepeatable(command));
