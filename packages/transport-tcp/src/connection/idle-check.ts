import type { ServerAddress } from "../tcp-error.ts";
import { Trip } from "../trip/trip.ts";
import type { ClientSocket } from "./client-socket.ts";

/**
 * Finds out whether a connection that was idle still stands, before anything is written to it. Of what is written to a
 * connection that has ended meanwhile, nothing tells whether it has arrived.
 */
export interface IdleCheck {
  readonly isRunning: boolean;
  /** Calls back when it is known. */
  begin(idleMs: number, done: () => void): void;
  /** The connection is over: does not call back. */
  cancel(): void;
}

export interface IdleCheckOptions {
  readonly socket: ClientSocket;
  readonly idle: IdleLimit;
  readonly server: ServerAddress;
  /** Whether commands can be written now. */
  readonly isReady: () => boolean;
  /** Writes a trip at once. */
  readonly write: (trip: Trip) => void;
}

/** How long the other side may take for a sign of life. */
const answerMs = 1_000;

export function createIdleCheck({ socket, idle, server, isReady, write }: IdleCheckOptions): IdleCheck {
  let check: symbol | undefined;

  /** Without an answer in time the connection is given up. */
  const ask = (done: () => void): void => {
    // Whatever else its reply brings is done first.
    const tell = (): void => queueMicrotask(done);
    const question = new Trip([["PING"]], false, { answered: tell, failed: tell });
    const onEnd = (_: Trip, timedOut: boolean): void => {
      if (timedOut) socket.drop(undefined);
    };
    question.startTimeout({ server, deadlineMs: performance.now() + answerMs, signal: undefined, onEnd });
    write(question);
  };

  const idleCheck = {
    isRunning: false,
    begin(idleMs: number, done: () => void): void {
      const own = Symbol("check");
      check = own;
      idleCheck.isRunning = true;
      const finish = (): void => {
        if (check !== own) return;
        idleCheck.cancel();
        done();
      };
      // An end that has arrived is read within one turn of the event loop. The first of these may belong to this turn.
      setImmediate(() =>
        setImmediate(() => {
          if (check !== own) return;
          if (!isReady()) return finish();
          idle.stoodAfter(idleMs);
          if (idle.isTrusted(idleMs)) finish();
          else ask(finish);
        }),
      );
    },
    cancel(): void {
      check = undefined;
      idleCheck.isRunning = false;
    },
  };
  return idleCheck;
}

/**
 * For how long a connection may have been idle and still be used without a question. A proxy that closes idle
 * connections may do so while a command is on its way, and then nothing tells whether the command has arrived.
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
