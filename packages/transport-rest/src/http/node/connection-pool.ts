import {
  type Connection,
  type ConnectionListener,
  type Opening,
  openConnection,
  type PendingRequest,
} from "./connection.ts";
import { createIdleConnections, type Taken } from "./idle-connections.ts";

/** The connections to one server. */
export interface ConnectionPool {
  /**
   * Sends a request on an idle connection that suits it, on a new one, or as soon as one is free.
   *
   * @param isRepeatable - Whether sending it twice does no harm; asked only where it matters.
   */
  send(pending: PendingRequest, isRepeatable: () => boolean): void;
  /** Ends a request whose reply is of no use any more: its connection is closed. */
  cancel(pending: PendingRequest): void;
  /** Closes the idle connections: where one has gone silent, those that were idle meanwhile may be dead too. */
  closeIdle(): void;
  /** Closes all connections, without a call of `fail` for their requests. */
  close(): void;
}

interface Waiting {
  readonly isRepeatable: () => boolean;
  /** To be called when it waits no longer. */
  readonly ended: () => void;
}

/** Beyond this many requests at once, further ones wait for a connection. */
const maxConnections = 100;

export function createConnectionPool(opening: Opening): ConnectionPool {
  const idle = createIdleConnections();
  const busy = new Map<PendingRequest, Taken>();
  const waiting = new Map<PendingRequest, Waiting>();
  let answers = 0;

  const carry = (pending: PendingRequest, taken: Taken): void => {
    busy.set(pending, taken);
    taken.connection.send(pending);
  };
  const open = (pending: PendingRequest): void => {
    const connection = openConnection(opening, pending, listener);
    busy.set(pending, { connection, idleMs: 0, generation: idle.generation });
  };
  const send = (pending: PendingRequest, isRepeatable: () => boolean): void => {
    const taken = idle.take(isRepeatable);
    if (taken) carry(pending, taken);
    else if (busy.size + idle.size < maxConnections || idle.makeRoom()) open(pending);
    else {
      const before = answers;
      waiting.set(pending, { isRepeatable, ended: pending.startWaiting(() => answers > before) });
    }
  };
  const sendWaiting = (): void => {
    const [first] = waiting;
    if (!first) return;
    const [pending, { isRepeatable, ended }] = first;
    waiting.delete(pending);
    ended();
    send(pending, isRepeatable);
  };

  const listener: ConnectionListener = {
    freed(connection: Connection, pending, idleLimitMs) {
      answers++;
      busy.delete(pending);
      idle.add(connection, idleLimitMs);
      sendWaiting();
    },
    closed(connection, pending, loss) {
      if (pending && !loss) answers++;
      const taken = pending && busy.get(pending);
      if (!pending) idle.ended(connection);
      else busy.delete(pending);
      if (taken && loss?.stale) idle.lost(taken);
      sendWaiting();
    },
  };

  return {
    send,
    cancel(pending) {
      if (waiting.delete(pending)) return;
      const taken = busy.get(pending);
      if (!taken) return;
      busy.delete(pending);
      taken.connection.close();
      sendWaiting();
    },
    closeIdle: idle.close,
    close() {
      for (const { connection } of busy.values()) connection.close();
      busy.clear();
      waiting.clear();
      idle.close();
    },
  };
}
