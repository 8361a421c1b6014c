import { vi } from "vitest";

/** A time limit on which no verdict depends, however slow the machine is. */
export const patientMs = 150_000;

/**
 * Lets the time of a call run out once something has happened, and not before: until then no timer fires. Its
 * deadline is at most `patientMs`.
 */
export async function timedOut<T>(call: () => Promise<T>, happened: () => Promise<unknown>): Promise<T> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const outcome = call();
    await happened();
    vi.advanceTimersByTime(patientMs);
    return await outcome;
  } finally {
    vi.useRealTimers();
  }
}
