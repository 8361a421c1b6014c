import { randomBytes } from "node:crypto";

/** The sync token of an answer: it stands for the state after all commands that have run. */
export interface SyncToken {
  readonly current: string;
  /** Called when commands have run. */
  advance(): void;
}

/**
 * There is one copy of the data, so no request waits for a token, and every token is accepted. It must only differ
 * after each request, since clients compare tokens.
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
