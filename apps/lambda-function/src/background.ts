/**
 * Work that goes on behind an answer. Lambda freezes a function that has answered, so the answer waits for this work.
 */
export interface Background {
  waitUntil(work: Promise<unknown>): void;
  /** Resolves when all of it is done, or the time is over. */
  done(withinMs: number): Promise<void>;
}

/** @param logError - Gets the errors of failed work, which are no error of the request that caused it. */
export function createBackground(logError: (message: string) => void): Background {
  const underWay = new Set<Promise<void>>();
  return {
    waitUntil(work) {
      const settled = work.then(
        () => {},
        (error: unknown) => logError(`Background work failed: ${error instanceof Error ? error.message : "no Error"}`),
      );
      underWay.add(settled);
      void settled.then(() => underWay.delete(settled));
    },
    async done(withinMs) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, withinMs);
      });
      await Promise.race([Promise.all(underWay), late]);
      clearTimeout(timer);
    },
  };
}
