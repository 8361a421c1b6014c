import type { History } from "../history.ts";
import type { Violation } from "../violation.ts";

/** When all is well again, everything that waits is worked on: in the queue, and in the producers that live. */
export function checkFinished({ left, drains, killedMs }: History): Violation[] {
  const inQueue = left
    .filter(({ depth, inFlight, delayed }) => depth + inFlight + delayed > 0)
    .map(
      ({ depth, inFlight, delayed }): Violation => ({
        kind: "unfinished",
        detail: `${depth} wait, ${inFlight} are given out, ${delayed} are delayed still`,
      }),
    );
  const inProducers = drains
    .filter(({ pending, process }) => pending > 0 && killedMs(process) === undefined)
    .map(
      ({ pending, process }): Violation => ({
        kind: "unfinished",
        process,
        detail: `${pending} pushes wait in it still`,
      }),
    );
  return [...inQueue, ...inProducers];
}
