import { createIdleTimes } from "../idle-times.ts";
import type { Connection } from "./connection.ts";

/** A connection that was idle, given out for a request. */
export interface Taken {
  readonly connection: Connection;
  /** For how long it was idle, in milliseconds; 0 for a new one. */
  readonly idleMs: number;
  /** How often idle connections had been retired by then. */
  readonly generation: number;
}

/** The idle connections to one server. */
export interface IdleConnections {
  /** How many are open, those included that are given out no more. */
  readonly size: number;
  readonly generation: number;
  /** Keeps a connection for so long at most. */
  add(connection: Connection, limitMs: number): void;
  /**
   * Gives out the connection that was used last, if it suits.
   *
   * @param isRepeatable - Whether sending the request twice does no harm; asked only where it matters.
   */
  take(isRepeatable: () => boolean): Taken | undefined;
  /** The other side has closed an idle connection. */
  ended(connection: Connection): void;
  /** A request was lost on a connection that was closed: those that were idle at the same time give way to new ones. */
  lost(taken: Taken): void;
  /** Closes one that is given out no more. Returns whether there was one. */
  makeRoom(): boolean;
  /** Closes all of them. */
  close(): void;
}

interface Kept {
  readonly connection: Connection;
  readonly closesAtMs: number;
}

/**
 * Keeps connections between requests. One that the server may be about to close serves no request that must not run
 * twice: it is retired, that is, kept only to learn for how long the server leaves it open.
 */
export function createIdleConnections(): IdleConnections {
  const idleTimes = createIdleTimes<Connection>({
    isOpen: (connection) => connection.isIdle,
    later: (callback) => setImmediate(callback),
  });
  /** The one that was used last is the last. */
  let idle: Kept[] = [];
  let retired: Kept[] = [];
  let generation = 0;
  const closing = createClosingTime(() => closeOverdue());

  const closeOverdue = (): void => {
    const nowMs = performance.now();
    const isInTime = ({ connection, closesAtMs }: Kept): boolean => {
      if (closesAtMs > nowMs && connection.isIdle) return true;
      connection.close();
      return false;
    };
    idle = idle.filter(isInTime);
    retired = retired.filter(isInTime);
    for (const { closesAtMs } of [...idle, ...retired]) closing.by(closesAtMs, nowMs);
  };
  const retire = (): void => {
    generation++;
    retired.push(...idle);
    idle = [];
  };

  return {
    get size() {
      return idle.length + retired.length;
    },
    get generation() {
      return generation;
    },
    add(connection, limitMs) {
      const nowMs = performance.now();
      idleTimes.rested(connection);
      idle.push({ connection, closesAtMs: nowMs + limitMs });
      closing.by(nowMs + limitMs, nowMs);
    },
    take(isRepeatable) {
      // A process that was busy, or frozen, closes overdue connections late.
      if ((idle.at(-1)?.closesAtMs ?? Number.POSITIVE_INFINITY) <= performance.now()) closeOverdue();
      let last = idle.at(-1);
      while (last && !last.connection.isIdle) {
        idle.pop();
        last = idle.at(-1);
      }
      if (!last) return undefined;
      const { connection } = last;
      if (!idleTimes.isSteady(connection) && !isRepeatable()) {
        idleTimes.watch([...idle, ...retired].map((kept) => kept.connection));
        if (!idleTimes.isSteady(connection)) {
          retire();
          return undefined;
        }
      }
      idle.pop();
      return { connection, idleMs: idleTimes.taken(connection), generation };
    },
    ended(connection) {
      idleTimes.ended(connection);
      const isOther = (kept: Kept): boolean => kept.connection !== connection;
      idle = idle.filter(isOther);
      retired = retired.filter(isOther);
    },
    lost(taken) {
      idleTimes.lostAfter(taken.idleMs);
      if (taken.generation === generation) retire();
    },
    makeRoom() {
      // The one that was idle for the shortest time has the least to tell.
      const last = retired.pop();
      last?.connection.close();
      return last !== undefined;
    },
    close() {
      for (const { connection } of [...idle, ...retired]) connection.close();
      idle = [];
      retired = [];
      closing.stop();
    },
  };
}

/**
 * One timer for all connections of a server: it fires when the first of them is due, and does not keep the process
 * alive.
 */
function createClosingTime(closeOverdue: () => void) {
  let timer: NodeJS.Timeout | undefined;
  let firesAtMs = Number.POSITIVE_INFINITY;
  const stop = (): void => {
    clearTimeout(timer);
    firesAtMs = Number.POSITIVE_INFINITY;
  };
  return {
    stop,
    by(atMs: number, nowMs: number): void {
      if (atMs >= firesAtMs) return;
      stop();
      firesAtMs = atMs;
      timer = setTimeout(() => {
        stop();
        closeOverdue();
      }, atMs - nowMs);
      timer.unref();
    },
  };
}
