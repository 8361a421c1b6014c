/**
 * Read-your-writes on a replicated database: each answer brings a token that stands for the state of the primary, and a
 * replica that is shown it catches up before it answers.
 */
export interface SyncToken {
  /** The newest token; empty before the first answer. */
  readonly current: string;
  /** The token to send, and what to call with the answer's. Absent when read-your-writes is off. */
  next(): SyncStamp | undefined;
  /**
   * Takes over another instance's token; answers to requests that left before don't undo it.
   *
   * @throws TypeError when it is none.
   */
  set(token: string): void;
}

/** Longer ones, or others than a header can carry back, are none: sent along, they would spoil every later request. */
const valid = /^[\x20-\x7e]{1,2048}$/;

export function createSyncToken(enabled: boolean): SyncToken {
  let current = "";
  let sent = 0;
  /** When the request left whose token is kept. An answer to an older request must not move the state backwards. */
  let keptFrom = 0;

  return {
    get current() {
      return current;
    },
    next() {
      if (!enabled) return undefined;
      const mine = ++sent;
      return {
        token: current,
        update(token) {
          if (token === undefined || !valid.test(token) || mine < keptFrom) return;
          current = token;
          keptFrom = mine;
        },
      };
    },
    set(token) {
      if (token !== "" && !valid.test(token)) {
        throw new TypeError(`Expected a sync token as an answer brought it, got ${token.length} other characters`);
      }
      current = token;
      keptFrom = sent + 1;
    },
  };
}

/** What one request carries of it. */
export interface SyncStamp {
  readonly token: string;
  update(token: string | undefined): void;
}
