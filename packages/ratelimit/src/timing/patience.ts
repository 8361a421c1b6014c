/** How many times a wait looks up from its timer. */
const slices = 4;

/** Resolves to this when the time was up first. */
export const timeIsUp: unique symbol = Symbol("time is up");

/**
 * Waits for work, but only for so long. Time in which this process could not hear an answer, since it was kept busy
 * or did not get the CPU, hardly counts: between two slices of the wait it has looked for answers.
 */
export async function withPatience<T>(ms: number, work: Promise<T>): Promise<T | typeof timeIsUp> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const up = new Promise<typeof timeIsUp>((resolve) => {
    // Timers drop fractions of a millisecond, and may be early by one.
    const wait = (left: number): void => {
      timer = setTimeout(() => (left > 1 ? wait(left - 1) : resolve(timeIsUp)), Math.ceil(ms / slices) + 1);
    };
    wait(slices);
  });
  try {
    return await Promise.race([work, up]);
  } finally {
    clearTimeout(timer);
  }
}
