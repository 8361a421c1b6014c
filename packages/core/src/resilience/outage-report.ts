import type { Breaker, BreakerPermit } from "./breaker.ts";
import { isOutage } from "./outage.ts";

/**
 * Whatever is under way when a connection breaks breaks with it: that is one event, often over already, and the retries
 * find out. What has cost its caller this long counts in any case, so that others need not wait as long.
 */
const echoMs = 1_000;

/**
 * Makes the function that tells a breaker how attempts failed, each with the leave it had and with when it started
 * (of `performance.now()`).
 */
export function createOutageReport(
  breaker: Breaker,
): (error: unknown, leave: BreakerPermit, startedAt: number) => void {
  let countedAt = Number.NEGATIVE_INFINITY;

  return (error, leave, startedAt) => {
    if (!isOutage(error)) {
      breaker.dismissed(leave);
      return;
    }
    const now = performance.now();
    const isEcho = error.kind === "unreachable" && startedAt < countedAt && now - startedAt < echoMs;
    if (isEcho && leave === "call") {
      breaker.dismissed(leave);
      return;
    }
    countedAt = now;
    breaker.failed(error, leave);
  };
}
