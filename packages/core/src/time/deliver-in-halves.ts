import type { Transport } from "../ports/transport.ts";
import { afterThisTick, hasLastingTimers } from "./platform.ts";

/** Fewer answers than this are always delivered at once: another trip would cost more than it gains. */
export const largeBatch = 32;

/** At least this many have to be left for the second half, for the same reason. */
const leastRest = largeBatch / 4;

/** The next calls of the callers pass the batch of a feature, the batch of the transport, and the write of a tick. */
const ticksUntilSent = 4;

/**
 * Delivers the answers of one trip in two halves of all answers in flight. The callers of the first half send their
 * next calls as one trip; while that trip is in flight, the second half is delivered, so that client and server work
 * at the same time. If all were delivered at once, the server would be idle meanwhile. Two halves are used only where
 * another trip costs little (`Transport.hasCheapTrips`), and never where a call can vanish with its request.
 *
 * @param others - How many answers other trips of the same feature will bring.
 * @param answers - How many there are to deliver.
 * @param deliver - Delivers those from `from` up to, not including, `to`. It is called at once, and perhaps once more a
 *   few turns of the same tick later. It may not throw.
 *
 * @example
 * ```ts
 * import { type Transport } from "@continuum-cache/core";
 * import { deliverInHalves } from "@continuum-cache/core/kit";
 *
 * function settle(transport: Transport, others: number, waiting: readonly ((answer: string) => void)[]): void {
 *   deliverInHalves(transport, others, waiting.length, (from, to) => {
 *     for (let nth = from; nth < to; nth++) waiting[nth]?.("done");
 *   });
 * }
 * ```
 */
export function deliverInHalves(
  transport: Pick<Transport, "hasCheapTrips">,
  others: number,
  answers: number,
  deliver: (from: number, to: number) => void,
): void {
  const half = (answers + others) >> 1;
  const isSmall = answers + others < largeBatch || answers - half < leastRest;
  if (isSmall || !transport.hasCheapTrips || !hasLastingTimers()) {
    deliver(0, answers);
    return;
  }
  deliver(0, half);
  void afterFollowUps().then(() => deliver(half, answers));
}

async function afterFollowUps(): Promise<void> {
  for (let tick = 0; tick < ticksUntilSent; tick++) await new Promise<void>(afterThisTick);
}
