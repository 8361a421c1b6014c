/** Into how many timers a wait is split. */
const slices = 4;

/** The result of a wait that timed out. */
export const timedOut: unique symbol = Symbol("time is up");

/**
 * Waits for work, for at most this long. Time in which this process was busy or did not get the CPU hardly counts:
 * the event loop delivers answers between two slices of the wait.
 */
export async function withTimeout<T>(ms: number, work: Promise<T>): Promise<T | typeof timedOut> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const up = new Promise<typeof timedOut>((resolve) => {
    // Timers drop fractions of a millisecond, and may be early by one.
    const wait = (left: number): void => {
      timer = setTimeout(() => (left > 1 ? wait(left - 1) : resolve(timedOut)), Math.ceil(ms / slices) + 1);
    };
    wait(slices);
  });
  try {
    return await Promise.race([work, up]);
  } finally {
    clearTimeout(timer);
  }
}
