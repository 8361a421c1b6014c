/** Sees what is left behind by a run: timers, sockets and handles, unhandled failures, warnings. */
export interface Leftovers {
  /** Handles that keep the process alive and were not there at the beginning, as `"TCPSocketWrap × 2"`. */
  handles(): readonly string[];
  /**
   * Timers of the code under test that are still to fire, those too which keep nothing alive, by where they were set.
   */
  timers(): readonly string[];
  /** Unhandled rejections, uncaught exceptions, warnings. */
  readonly told: readonly string[];
  stop(): void;
}

export function watchLeftovers(): Leftovers {
  const told: string[] = [];
  const listeners = ["unhandledRejection", "uncaughtException", "warning"].map((event) => {
    const listener = (error: unknown): void => void told.push(`${event}: ${String((error as Error)?.stack ?? error)}`);
    process.on(event, listener);
    return () => process.off(event, listener);
  });
  const timers = watchTimers();
  const before = countResources();

  return {
    handles: () =>
      [...countResources()]
        .map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const)
        .filter(([, more]) => more > 0)
        .map(([name, more]) => `${name} × ${more}`),
    timers: timers.live,
    told,
    stop() {
      timers.stop();
      for (const stop of listeners) stop();
    },
  };
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Node does not list timers that are unreferenced: so those are counted where they are made. */
function watchTimers(): { live(): readonly string[]; stop(): void } {
  const live = new Map<unknown, string>();
  const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  globalThis.setTimeout = ((callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
    const timer = real.setTimeout(() => {
      live.delete(timer);
      callback(...args);
    }, ms);
    const { stack = "" } = new Error();
    if (/packages.(core|fallback-memory|transport-rest|transport-tcp|continuum-cache).src|ioredis/.test(stack)) {
      live.set(timer, stack.split("\n").slice(2, 5).join(" <"));
    }
    return timer;
  }) as typeof setTimeout;
  globalThis.clearTimeout = ((timer: NodeJS.Timeout) => {
    live.delete(timer);
    real.clearTimeout(timer);
  }) as typeof clearTimeout;
  return { live: () => [...live.values()], stop: () => Object.assign(globalThis, real) };
}
