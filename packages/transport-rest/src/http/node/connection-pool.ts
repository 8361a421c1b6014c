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
  send(exchange: PendingRequest, isRepeatable: () => boolean): void;
  /** Ends a request whose reply is of no use any more: its connection is closed. */
  cancel(exchange: PendingRequest): void;
  /** Closes the idle connections: where one has gone silent, those that were idle meanwhile may be dead too. */
  closeIdle(): void;
  /** Closes all connections; what they carry is told nothing. */
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

  const carry = (exchange: PendingRequest, taken: Taken): void => {
    busy.set(exchange, taken);
    taken.connection.send(exchange);
  };
  const open = (exchange: PendingRequest): void => {
    const connection = openConnection(opening, exchange, listener);
    busy.set(exchange, { connection, idleMs: 0, generation: idle.generation });
  };
  const send = (exchange: PendingRequest, isRepeatable: () => boolean): void => {
    const taken = idle.take(isRepeatable);
    if (taken) carry(exchange, taken);
    else if (busy.size + idle.size < maxConnections || idle.makeRoom()) open(exchange);
    else {
      const before = answers;
      waiting.set(exchange, { isRepeatable, ended: exchange.startWaiting(() => answers > before) });
    }
  };
  const sendWaiting = (): void => {
    const [first] = waiting;
    if (!first) return;
    const [exchange, { isRepeatable, ended }] = first;
    waiting.delete(exchange);
    ended();
    send(exchange, isRepeatable);
  };

  const listener: ConnectionListener = {
    freed(connection: Connection, exchange, idleLimitMs) {
      answers++;
      busy.delete(exchange);
      idle.add(connection, idleLimitMs);
      sendWaiting();
    },
    closed(connection, exchange, loss) {
      if (exchange && !loss) answers++;
      const taken = exchange && busy.get(exchange);
      if (!exchange) idle.ended(connection);
      else busy.delete(exchange);
      if (taken && loss?.stale) idle.lost(taken);
      sendWaiting();
    },
  };

  return {
    send,
    cancel(exchange) {
      if (waiting.delete(exchange)) return;
      const taken = busy.get(exchange);
      if (!taken) return;
      busy.delete(exchange);
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
