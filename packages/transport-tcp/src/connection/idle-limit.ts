/**
 * For how long a connection may have been idle and still be used without a question. A proxy that closes idle connections
 * may do so while a command is on its way, and then nothing tells whether the command has arrived.
 */
export interface IdleLimit {
  /** Whether a connection that has been idle for this long can be expected to stand. */
  isTrusted(idleMs: number): boolean;
  /** The other side has closed a connection that was idle for this long. */
  closedAfter(idleMs: number): void;
  /** A connection that was idle for this long still stood. */
  stoodAfter(idleMs: number): void;
}

/** Proxies close idle connections after a minute or more. */
const longestMs = 30_000;

export function createIdleLimit(): IdleLimit {
  let limitMs = longestMs;
  return {
    isTrusted: (idleMs) => idleMs < limitMs,
    closedAfter(idleMs) {
      // Timers and networks are inexact.
      limitMs = Math.min(limitMs, idleMs / 2);
    },
    stoodAfter(idleMs) {
      // What has closed the earlier one was no limit of idleness.
      if (idleMs > limitMs * 3) limitMs = longestMs;
    },
  };
}
