import type { Breaker, BreakerPermit } from "./breaker.ts";
import { isOutage } from "./outage.ts";

/**
 * Whatever is under way when a connection breaks breaks with it: that is one event, often over already, and the retries
 * find out. What has cost its caller this long counts in any case, so that others need not wait as long.
 */
const echoMs = 1_000;

/**
 * Makes the function that tells a breaker how attempts failed, each with the permit it had and with when it started
 * (of `performance.now()`).
 */
export function dedupeFailures(breaker: Breaker): (error: unknown, permit: BreakerPermit, startedAt: number) => void {
  let countedAt = Number.NEGATIVE_INFINITY;

  return (error, permit, startedAt) => {
    if (!isOutage(error)) {
      breaker.release(permit);
      return;
    }
    const now = performance.now();
    const isEcho = error.kind === "unreachable" && startedAt < countedAt && now - startedAt < echoMs;
    if (isEcho && permit === "call") {
      breaker.release(permit);
      return;
    }
    countedAt = now;
    breaker.failed(error, permit);
  };
}
