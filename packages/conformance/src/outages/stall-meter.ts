/** Measures for how long this process was kept from running: what no deadline of its own can be blamed for. */
export interface StallMeter {
  /** The sum of all delays so far, one that is going on included, in milliseconds. */
  totalMs(): number;
  stop(): void;
}

/** A timer that is late by more than its period tells by how much everything else was late. */
export function startStallMeter(periodMs = 5): StallMeter {
  let stalledMs = 0;
  let dueMs = performance.now() + periodMs;
  const latenessMs = (): number => Math.max(0, performance.now() - dueMs - 1);
  const timer = setInterval(() => {
    stalledMs += latenessMs();
    dueMs = performance.now() + periodMs;
  }, periodMs);
  timer.unref();
  return { totalMs: () => stalledMs + latenessMs(), stop: () => clearInterval(timer) };
}
