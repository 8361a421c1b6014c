import type { Connection } from "./connection.ts";
import { createLaneChoice, type LaneChoice } from "./lane-choice.ts";
import type { Trip } from "./trip.ts";

/** Connections, opened as they are needed. */
export interface ConnectionPool {
  send(trip: Trip): void;
  /** Its caller waits no longer. */
  forsake(trip: Trip, timedOut: boolean): void;
  /** Makes new connections in the place of all, as soon as what is in flight is answered. */
  renew(): void;
  close(): Promise<void>;
}

/** More unanswered than this, and the next trip takes another connection: a large value must not hold up small ones. */
const busy = { commands: 256, bytes: 256 * 1024 };

/**
 * One connection carries everything as long as it keeps up, since what travels together is cheapest, and in order by
 * itself. Only when it is held up are others opened, and only until all that is under way is answered is the order of
 * keys kept by hand.
 *
 * @param first - The connection that is always there.
 * @param open - Makes one more.
 */
export function createConnectionPool(first: Connection, open: () => Connection, size: number): ConnectionPool {
  const connections = [first];
  let choice: LaneChoice | undefined;

  const isBusy = (connection: Connection): boolean => {
    const { commands, bytes } = connection.unanswered();
    return commands > busy.commands || bytes > busy.bytes;
  };

  const pick = (): Connection => {
    const free = connections.find((connection) => !isBusy(connection));
    if (free) return free;
    if (connections.length < size) {
      const fresh = open();
      connections.push(fresh);
      return fresh;
    }
    return connections.reduce((least, connection) =>
      connection.unanswered().commands < least.unanswered().commands ? connection : least,
    );
  };

  const spread = (): LaneChoice => {
    const opened = createLaneChoice(() => {
      choice = undefined;
    });
    for (const trip of first.trips()) opened.adopt(trip, first);
    return opened;
  };

  return {
    send(trip) {
      if (!choice && (size === 1 || !isBusy(first))) return first.send(trip);
      choice ??= spread();
      choice.send(trip, pick);
    },
    forsake(trip, timedOut) {
      for (const connection of connections) connection.forsake(trip, timedOut);
    },
    renew() {
      for (const connection of connections) connection.renew();
    },
    async close() {
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}
