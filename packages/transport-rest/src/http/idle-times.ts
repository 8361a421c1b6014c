/** What is known of how long the server, and every proxy on the way to it, leave an idle connection open. */
export interface IdleTimes<Connection extends object> {
  /** A connection has answered, and is idle from now on. */
  rested(connection: Connection): void;
  /** A request takes it. Returns how long it was idle, in milliseconds; 0 for a new one. */
  taken(connection: Connection): number;
  /** The other side has closed it. */
  ended(connection: Connection): void;
  /** A request was lost on a connection that had been idle for so long. */
  lostAfter(idleMs: number): void;
  /**
   * To be called before connections are judged: those that are idle now and open still a moment later prove
   * something.
   */
  watch(idle: readonly Connection[]): void;
  /** Whether this idle connection is surely not being closed at this very moment. */
  isSteady(connection: Connection): boolean;
}

/** What it needs of the platform. */
export interface IdleTimesParts<Connection> {
  isOpen(connection: Connection): boolean;
  /** Milliseconds, from any point in time. @default performance.now */
  now?(): number;
  /** Runs something once everything that the network has brought by now has been heard. */
  later(callback: () => void): void;
}

/** No server closes a connection so soon. */
const alwaysSteadyMs = 50;

/**
 * A connection that is closed while a request travels on it leaves open whether the request ran. So a request that
 * must not run twice takes only a connection that has been idle for at most half as long as others were seen to stay
 * open.
 */
export function createIdleTimes<Connection extends object>(parts: IdleTimesParts<Connection>): IdleTimes<Connection> {
  const { isOpen, later, now = () => performance.now() } = parts;
  const restedAt = new WeakMap<Connection, number>();
  let openForMs = 0;

  const idleMs = (connection: Connection): number => now() - (restedAt.get(connection) ?? now());
  const lostAfter = (closedAfterMs: number): void => {
    openForMs = Math.min(openForMs, closedAfterMs);
  };

  return {
    lostAfter,
    rested(connection) {
      restedAt.set(connection, now());
    },
    taken(connection) {
      const ms = idleMs(connection);
      restedAt.delete(connection);
      return ms;
    },
    ended(connection) {
      if (restedAt.has(connection)) lostAfter(idleMs(connection));
    },
    watch(idle) {
      const seen = idle.map((connection) => ({ connection, ms: idleMs(connection) }));
      later(() => {
        for (const { connection, ms } of seen) if (isOpen(connection)) openForMs = Math.max(openForMs, ms);
      });
    },
    isSteady: (connection) => idleMs(connection) <= Math.max(alwaysSteadyMs, openForMs / 2),
  };
}
