import { abortedError, closedError, type Dispatch } from "@continuum-cache/core/kit";
import { type ServerAddress, transportName } from "../tcp-error.ts";
import { Trip } from "../trip/trip.ts";
import type { Connection } from "./connection.ts";
import { type ConnectionRouter, createConnectionRouter } from "./connection-router.ts";

/** Connections, opened as they are needed. */
export interface ConnectionPool {
  /** Sends a round trip on one of them. */
  readonly dispatch: Dispatch;
  /** Makes new connections in the place of all, as soon as what is in flight is answered. */
  renew(): void;
  close(): Promise<void>;
}

export interface ConnectionPoolOptions {
  readonly server: ServerAddress;
  /** How many there are at most. */
  readonly size: number;
  /** Makes one more. The first must be there from the beginning. */
  readonly open: () => Connection;
}

/** Beyond this load the next trip takes another connection: a large value must not delay small ones. */
const busy = { commands: 256, bytes: 256 * 1024 };

const isBusy = ({ load }: Connection): boolean => load.commands > busy.commands || load.bytes > busy.bytes;

/**
 * One connection carries all trips while it keeps up: batches are cheapest, and one connection keeps the order by
 * itself. More connections are opened only when it is busy. A router then keeps the order per key, until all trips in
 * flight are answered.
 */
export function createConnectionPool(first: Connection, { server, size, open }: ConnectionPoolOptions): ConnectionPool {
  const connections = [first];
  let router: ConnectionRouter | undefined;
  let isClosed = false;

  const pick = (): Connection => {
    const free = connections.find((connection) => !isBusy(connection));
    if (free) return free;
    if (connections.length < size) {
      const fresh = open();
      connections.push(fresh);
      return fresh;
    }
    return connections.reduce((least, connection) =>
      connection.load.commands < least.load.commands ? connection : least,
    );
  };

  const spread = (): ConnectionRouter => {
    const opened = createConnectionRouter(() => {
      router = undefined;
    });
    for (const trip of first.trips()) opened.adopt(trip, first);
    return opened;
  };

  const onEnd = (trip: Trip, timedOut: boolean): void => {
    for (const connection of connections) connection.abandon(trip, timedOut);
  };

  return {
    dispatch({ commands, options, deadlineMs }, handler) {
      const { signal, atomic = false } = options;
      try {
        if (isClosed) throw closedError(transportName, "transport");
        if (commands.length === 0) return handler.answered([]);
        if (signal?.aborted) throw abortedError(transportName, signal);
        if (!router && size > 1 && isBusy(first)) router = spread();
        const trip = new Trip(commands, atomic, handler);
        const nowMs = performance.now();
        trip.startTimeout({ deadlineMs, signal, server, onEnd }, nowMs);
        if (router) router.send(trip, pick);
        else first.send(trip, nowMs);
      } catch (error) {
        handler.failed(error);
      }
    },
    renew() {
      for (const connection of connections) connection.renew();
    },
    async close() {
      isClosed = true;
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}
