import { type Claim, createClaim } from "@continuum-cache/core/kit";
import type { HubSettings } from "../settings.ts";

/** Looks after a stream every now and then, while there is one. */
export interface Watchdog {
  start(): void;
  stop(): void;
  /** Looks at once. */
  hurry(): void;
}

/** @param look - Never rejects. */
export function createWatchdog({ watchdogMs }: HubSettings, look: () => Promise<void>): Watchdog {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let looking: Claim | undefined;

  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const start = (waitMs: number): void => {
    stop();
    timer = setTimeout(run, waitMs);
    // Where timers keep a process alive this one must not: the stream itself does.
    (timer as { unref?(): void }).unref?.();
  };
  const run = async (): Promise<void> => {
    if (looking?.isHeld) return;
    const own = createClaim();
    looking = own;
    await look();
    own.release();
    if (timer !== undefined) start(jittered());
  };
  /** So that the processes of a fleet that began together don't ask together. */
  const jittered = (): number => watchdogMs * (0.9 + Math.random() * 0.2);

  return { start: () => start(jittered()), stop, hurry: () => start(0) };
}
