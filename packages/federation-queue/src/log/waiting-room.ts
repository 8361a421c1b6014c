import type { OutboxLimits } from "../shared/outbox.ts";

/** Counts what waits in this process, so that it stays within bounds. */
export interface WaitingRoom {
  readonly count: number;
  /** `false` when there is no room, and nothing has changed. */
  enter(bytes: number): boolean;
  leave(bytes: number): void;
}

export function createWaitingRoom({ maxItems, maxBytes }: OutboxLimits): WaitingRoom {
  let count = 0;
  let used = 0;
  return {
    get count() {
      return count;
    },
    enter(bytes) {
      if (count >= maxItems || used + bytes > maxBytes) return false;
      count++;
      used += bytes;
      return true;
    },
    leave(bytes) {
      count--;
      used -= bytes;
    },
  };
}
