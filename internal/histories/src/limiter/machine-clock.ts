/** The machine's steady clock, in microseconds: the same for all its processes, and never set. */
const steadyUs = (): number => Number(process.hrtime.bigint() / 1_000n);

/** What makes the steady clock show the time since 1970. Determined once for all processes, so that theirs agree. */
export const machineClockOffsetUs = (): number =>
  Math.round((performance.timeOrigin + performance.now()) * 1_000) - steadyUs();

/**
 * The time of all processes that have the same offset, in microseconds since 1970. It is not set when the wall clock
 * is.
 */
export const machineTimeUs = (offsetUs: number): number => steadyUs() + offsetUs;
