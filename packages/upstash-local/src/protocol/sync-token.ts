import { randomBytes } from "node:crypto";

/** The token that an answer brings along: it stands for the state after everything that ran so far. */
export interface SyncToken {
  readonly current: string;
  /** To be called when commands have run. */
  advance(): void;
}

/**
 * There is one copy of the data here, so nothing has to wait for a token: whatever a client sends is accepted. The
 * token's only duty is to differ after each request, which is what clients look at.
 */
export function createSyncToken(): SyncToken {
  const run = randomBytes(6).toString("base64url");
  let count = 0;
  return {
    get current() {
      return `${run}.${count.toString(36)}`;
    },
    advance() {
      count++;
    },
  };
}
