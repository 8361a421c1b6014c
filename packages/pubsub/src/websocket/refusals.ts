import type { GuardedSocket } from "./guarded-socket.ts";
import type { Ticker } from "./ticker.ts";

/** A socket that was told to close, and has a while to do so. */
export interface Leaving {
  /** Ends the socket if it has not closed long after the close frame. */
  checkLeft(): void;
}

/** Sockets that are refused: each gets a close frame, and a while to close. */
export interface Refusals {
  /** How many have not closed yet. */
  readonly size: number;
  refuse(socket: GuardedSocket, code: number, reason: string): void;
  /** Ends those that have not closed yet. */
  end(): void;
}

/** How long they may take to close. */
const graceMs = 3_000;

export function createRefusals(leaving: Ticker<Leaving>): Refusals {
  const open = new Map<Leaving, () => void>();
  return {
    get size() {
      return open.size;
    },
    refuse(socket, code, reason) {
      const refusedMs = Date.now();
      const gone = (): void => {
        leaving.delete(refusal);
        open.delete(refusal);
      };
      const end = (): void => {
        socket.terminate();
        gone();
      };
      const refusal: Leaving = {
        checkLeft() {
          if (Date.now() - refusedMs >= graceMs) end();
        },
      };
      leaving.add(refusal);
      open.set(refusal, end);
      // Without a listener, an error of the socket would end the process.
      const isHeard = socket.listen({ message: () => {}, pong: () => {}, gone });
      if (!isHeard || !socket.close(code, reason)) end();
    },
    end() {
      for (const end of [...open.values()]) end();
    },
  };
}
