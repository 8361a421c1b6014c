/**
 * Waits for work, but not longer than `timeoutMs`. The work is not cancelled. If it fails in time, this rejects too.
 *
 * @returns whether the work was done in time.
 *
 * @example
 * ```ts
 * import { settlesWithin } from "@continuum-cache/core/kit";
 *
 * const slow = new Promise((resolve) => setTimeout(resolve, 1_000));
 * console.log(await settlesWithin(10, slow)); // false
 * ```
 */
export async function settlesWithin(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, false);
  });
  try {
    return await Promise.race([work.then(() => true), end]);
  } finally {
    clearTimeout(timer);
  }
}
