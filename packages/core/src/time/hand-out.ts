import type { Transport } from "../ports/transport.ts";
import { hasLastingTimers } from "./lasting-timers.ts";
import { afterThisTick } from "./next-tick.ts";

/** Fewer answers than this are always handed out at once: another trip would cost more than it gains. */
export const largeTick = 32;

/** What callers ask next leaves by the batch of its feature, by that of the transport, and with the write that ends a tick. */
const ticksUntilSent = 4;

/**
 * Hands out the answers of one trip. While no other trip is under way the server has nothing to do, and would stay idle until all
 * of them are handed out and what their callers ask next is sent. So of many answers the first half goes first where another trip
 * costs little ({@link Transport.hasCheapTrips}), and the rest once what follows the first half is on its way: the two work at the
 * same time. Where a call can vanish all go at once.
 *
 * @param trips - How many other trips of the same feature are under way.
 * @param answers - How many there are to hand out.
 * @param handOut - Hands out those from `from` up to, not including, `to`. It is called at once, and perhaps once more a few turns of
 * the same tick later. It may not throw.
 *
 * @example
 * ```ts
 * import { handOutInHalves, type Transport } from "@continuum-cache/core";
 *
 * function settle(transport: Transport, tripsUnderWay: number, waiting: readonly ((answer: string) => void)[]): void {
 *   handOutInHalves(transport, tripsUnderWay, waiting.length, (from, to) => {
 *     for (let nth = from; nth < to; nth++) waiting[nth]?.("done");
 *   });
 * }
 * ```
 */
export function handOutInHalves(
  transport: Pick<Transport, "hasCheapTrips">,
  trips: number,
  answers: number,
  handOut: (from: number, to: number) => void,
): void {
  if (answers < largeTick || trips > 0 || !transport.hasCheapTrips || !hasLastingTimers()) {
    handOut(0, answers);
    return;
  }
  const half = answers >> 1;
  handOut(0, half);
  void afterFollowUps().then(() => handOut(half, answers));
}

async function afterFollowUps(): Promise<void> {
  for (let tick = 0; tick < ticksUntilSent; tick++) await new Promise<void>(afterThisTick);
}
