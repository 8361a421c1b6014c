import { type Claim, createClaim } from "@continuum-cache/core/kit";

/**
 * Holds callers up for a moment while something is put in order. It opens by itself when the call that has shut it
 * vanishes.
 */
export interface Gate {
  /** Of the call that has shut it; undefined while it is open. */
  readonly claim: Claim | undefined;
  /** Whether that call is at work still. */
  readonly isShut: boolean;
  shut(): void;
  /** @returns whether callers were waiting; they go on in the next turns of this tick. */
  open(): boolean;
  /** Resolves when it opens, or after so long at the latest. */
  pass(longestMs: number): Promise<void>;
}

export function createGate(): Gate {
  let waiting = 0;
  const gate = {
    claim: undefined as Claim | undefined,
    get isShut(): boolean {
      return gate.claim?.isHeld ?? false;
    },
    shut(): void {
      if (!gate.isShut) gate.claim = createClaim();
    },
    open(): boolean {
      gate.claim?.release();
      gate.claim = undefined;
      return waiting > 0;
    },
    async pass(longestMs: number): Promise<void> {
      waiting++;
      await gate.claim?.released({ timeoutMs: longestMs });
      waiting--;
    },
  };
  return gate;
}
