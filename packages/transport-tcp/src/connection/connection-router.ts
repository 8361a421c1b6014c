import type { Command } from "@continuum-cache/core";
import { createKeyOrder, type KeyTurn, keysOf } from "@continuum-cache/core/kit";
import type { Trip } from "../trip/trip.ts";
import type { Connection } from "./connection.ts";

/** Keeps trips to the same key in order while they may take several connections. */
export interface ConnectionRouter {
  /**
   * Sends a trip on the connection of the earlier trips to its keys, which keeps them in order without waiting. If
   * those are on several connections, it waits for them first. If there are none, it takes the connection that `free`
   * picks.
   */
  send(trip: Trip, free: () => Connection): void;
  /** Registers a trip that is on its connection already. */
  adopt(trip: Trip, connection: Connection): void;
}

/** The connection of a trip, once it is chosen. */
interface Assignment {
  connection: Connection | undefined;
}

const database = Symbol("database");

/** @param onIdle - Called when no trip is in flight any more, so that no order has to be kept. */
export function createConnectionRouter(onIdle: () => void): ConnectionRouter {
  const order = createKeyOrder();
  const byKey = new Map<string | symbol, Set<Assignment>>();
  const all = new Set<Assignment>();

  const enter = (trip: Trip, assignment: Assignment): KeyTurn => {
    const turn = order.enter(trip.commands);
    const touched = keysTouched(trip.commands);
    for (const key of touched) byKey.set(key, (byKey.get(key) ?? new Set()).add(assignment));
    all.add(assignment);
    trip.onGone = () => {
      trip.onGone = undefined;
      for (const key of touched) {
        const assignments = byKey.get(key);
        assignments?.delete(assignment);
        if (assignments?.size === 0) byKey.delete(key);
      }
      all.delete(assignment);
      turn.leave();
      if (all.size === 0) onIdle();
    };
    return turn;
  };

  /** The connections of the trips that touch one of these keys: perhaps too many, never too few. */
  const connectionsOf = (commands: readonly Command[]): Set<Connection | undefined> => {
    const keys = keysTouched(commands);
    const assignments = keys.has(database) ? [all] : [...keys, database].map((key) => byKey.get(key) ?? []);
    return new Set(assignments.flatMap((set) => [...set].map((assignment) => assignment.connection)));
  };

  return {
    adopt: (trip, connection) => void enter(trip, { connection }),
    send(trip, free) {
      const [near, ...others] = connectionsOf(trip.commands);
      const assignment: Assignment = { connection: undefined };
      const turn = enter(trip, assignment);
      const go = (connection: Connection): void => {
        assignment.connection = connection;
        connection.send(trip);
      };
      if (!turn.mustWait) return go(free());
      if (near && others.length === 0) return go(near);
      trip.isQueued = true;
      void turn.turn().then(() => {
        trip.isQueued = false;
        // Its caller may have given up meanwhile.
        if (trip.settled) trip.onGone?.();
        else go(free());
      });
    },
  };
}

function keysTouched(commands: readonly Command[]): Set<string | symbol> {
  const touched = new Set<string | symbol>();
  for (const command of commands) {
    const keys = keysOf(command);
    for (const key of keys === "database" ? [database] : keys) touched.add(key);
  }
  return touched;
}
