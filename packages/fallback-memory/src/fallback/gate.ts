import { type Claim, createClaim } from "@continuum-cache/core";

/**
 * Holds callers up for a moment while something is put in order. It opens by itself when the call that has shut it
 * vanishes.
 */
export interface Gate {
  readonly isShut: boolean;
  shut(): void;
  /** @returns whether callers were waiting; they go on in the next turns of this tick. */
  open(): boolean;
  /** Resolves when it opens, or after so long at the latest. */
  pass(longestMs: number): Promise<void>;
}

export function createGate(): Gate {
  let claim: Claim | undefined;
  let waiting = 0;
  return {
    get isShut() {
      return claim?.isHeld ?? false;
    },
    shut() {
      if (!claim?.isHeld) claim = createClaim();
    },
    open() {
      claim?.end();
      claim = undefined;
      return waiting > 0;
    },
    async pass(longestMs) {
      waiting++;
      await claim?.over({ timeoutMs: longestMs });
      waiting--;
    },
  };
}
