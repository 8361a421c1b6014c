import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";

/** Knows when this process was kept from running: no timer fires then, and nothing can be in time. */
export interface Stalls {
  /** For how many milliseconds of a span of `performance.now()` the event loop stood still. */
  during(fromMs: number, toMs: number): number;
  /** Resolves when all stalls so far are known. */
  known(): Promise<void>;
  /** Over all, as Node itself measures it, in milliseconds. */
  summary(): { readonly p99Ms: number; readonly maxMs: number };
  stop(): void;
}

interface Stall {
  readonly fromMs: number;
  readonly toMs: number;
}

const periodMs = 2;

/** A timer of a short period tells by how late it is when nothing else could run either. */
export function watchStalls(): Stalls {
  const histogram = monitorEventLoopDelay({ resolution: periodMs });
  histogram.enable();
  const stalls: Stall[] = [];
  let dueMs = performance.now() + periodMs;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    if (nowMs > dueMs + 1) stalls.push({ fromMs: dueMs, toMs: nowMs });
    dueMs = nowMs + periodMs;
  }, periodMs);
  timer.unref();

  return {
    during(fromMs, toMs) {
      let ms = 0;
      // The latest first: old stalls are never asked for.
      for (let at = stalls.length - 1; at >= 0; at--) {
        const stall = stalls[at] as Stall;
        if (stall.toMs <= fromMs) break;
        ms += Math.max(0, Math.min(stall.toMs, toMs) - Math.max(stall.fromMs, fromMs));
      }
      return ms;
    },
    known: () => delay(4 * periodMs),
    summary: () => ({ p99Ms: histogram.percentile(99) / 1e6 - periodMs, maxMs: histogram.max / 1e6 - periodMs }),
    stop() {
      histogram.disable();
      clearInterval(timer);
    },
  };
}
