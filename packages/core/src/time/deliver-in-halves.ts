import type { Transport } from "../ports/transport.ts";
import { afterThisTick, hasLastingTimers } from "./platform.ts";

/** Fewer answers than this are always handed out at once: another trip would cost more than it gains. */
export const largeBatch = 32;

/** As many have to be left for later, for the same reason. */
const leastRest = largeBatch / 4;

/** What callers ask next leaves by the batch of its feature, by that of the transport, and with the write that ends a tick. */
const ticksUntilSent = 4;

/**
 * Hands out the answers of one trip, at most half of all that are under way at once. What their callers ask next is one trip, and
 * while that is under way the other half is handed out: client and server work at the same time. Were all handed out at once the
 * server would stay idle meanwhile, and with trips of very different sizes for some of the time. So the rest goes once what follows
 * the first part is on its way, where another trip costs little ({@link Transport.hasCheapTrips}). Where a call can vanish all go
 * at once.
 *
 * @param others - How many answers other trips of the same feature will bring.
 * @param answers - How many there are to hand out.
 * @param handOut - Hands out those from `from` up to, not including, `to`. It is called at once, and perhaps once more a few turns of
 * the same tick later. It may not throw.
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
  handOut: (from: number, to: number) => void,
): void {
  const half = (answers + others) >> 1;
  const isSmall = answers + others < largeBatch || answers - half < leastRest;
  if (isSmall || !transport.hasCheapTrips || !hasLastingTimers()) {
    handOut(0, answers);
    return;
  }
  handOut(0, half);
  void afterFollowUps().then(() => handOut(half, answers));
}

async function afterFollowUps(): Promise<void> {
  for (let tick = 0; tick < ticksUntilSent; tick++) await new Promise<void>(afterThisTick);
}
