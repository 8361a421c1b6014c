/**
 * Decides when connections are given up because the server at their end refuses its work: READONLY, MASTERDOWN,
 * LOADING. After a failover the name leads to another server, and only a new connection finds it.
 */
export interface FailoverReconnect {
  /** Whether a server has refused and no write has succeeded since. */
  readonly isPending: boolean;
  /** A command was refused on a connection that was made at this time. */
  refused(madeAt: number): void;
  /** A write has succeeded on a connection that was made at this time. */
  accepted(madeAt: number): void;
}

export interface FailoverReconnectOptions {
  /** Gives up all connections. */
  readonly reconnect: () => void;
  /** The server at the other end of new connections takes writes again. */
  readonly onRecovered: () => void;
  /** In milliseconds. @default performance.now */
  readonly now?: () => number;
}

/** How long the second renewal waits at least; each later one twice as long, up to the longest. */
const pause = { firstMs: 100, longestMs: 5_000 };

export function createFailoverReconnect({
  reconnect,
  onRecovered,
  now = () => performance.now(),
}: FailoverReconnectOptions): FailoverReconnect {
  let reconnectedAt = Number.NEGATIVE_INFINITY;
  let pauseMs = 0;
  const state = {
    isPending: false,
    refused(madeAt: number): void {
      state.isPending = true;
      const sinceMs = now() - reconnectedAt;
      if (madeAt < reconnectedAt || sinceMs < pauseMs) return;
      // A server that always refuses some commands, such as a replica, must not have its connections renewed all the
      // time.
      pauseMs = sinceMs > 2 * pause.longestMs ? pause.firstMs : Math.min(pauseMs * 2, pause.longestMs);
      reconnectedAt = now();
      reconnect();
    },
    accepted(madeAt: number): void {
      if (!state.isPending || madeAt < reconnectedAt) return;
      state.isPending = false;
      onRecovered();
    },
  };
  return state;
}
