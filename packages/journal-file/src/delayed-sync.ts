/** Runs `sync` some time after it was asked for, once for all who ask meanwhile. */
export interface DelayedSync {
  soon(): void;
  /** Waits for one that is running, and forgets one that is due. @returns whether one was due. */
  stop(): Promise<boolean>;
}

/** @param sync - Must not reject. */
export function createDelayedSync(delayMs: number, sync: () => Promise<void>): DelayedSync {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> | undefined;

  return {
    soon() {
      if (timer !== undefined) return;
      timer = setTimeout(() => {
        timer = undefined;
        running = Promise.all([running, sync()]).then(() => undefined);
      }, delayMs);
      // A process that ends loses nothing: the operating system has it all.
      timer.unref();
    },
    async stop() {
      const wasDue = timer !== undefined;
      clearTimeout(timer);
      timer = undefined;
      await running;
      return wasDue;
    },
  };
}
