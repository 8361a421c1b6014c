/** Measures for how long this process was kept from running: what no deadline of its own can be blamed for. */
export interface StallMeter {
  /** The sum of all delays so far, one that is going on included, in milliseconds. */
  totalMs(): number;
  /** The longest delay since a time that `now` told before. */
  longestMsSince(markMs: number): number;
  now(): number;
  stop(): void;
}

/** So many of the latest delays are remembered, those of some milliseconds at least. */
const remembered = { delays: 10_000, fromMs: 10 };

/** A timer that is late by more than its period tells by how much everything else was late. */
export function startStallMeter(periodMs = 5): StallMeter {
  let stalledMs = 0;
  let dueMs = performance.now() + periodMs;
  const latenessMs = (): number => Math.max(0, performance.now() - dueMs - 1);
  let delays: { readonly atMs: number; readonly ms: number }[] = [];
  const timer = setInterval(() => {
    const ms = latenessMs();
    stalledMs += ms;
    if (ms >= remembered.fromMs) delays.push({ atMs: performance.now(), ms });
    if (delays.length > 2 * remembered.delays) delays = delays.slice(-remembered.delays);
    dueMs = performance.now() + periodMs;
  }, periodMs);
  timer.unref();
  return {
    totalMs: () => stalledMs + latenessMs(),
    longestMsSince: (markMs) =>
      delays.reduce((longest, { atMs, ms }) => (atMs >= markMs ? Math.max(longest, ms) : longest), latenessMs()),
    now: () => performance.now(),
    stop: () => clearInterval(timer),
  };
}
