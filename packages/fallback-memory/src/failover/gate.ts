import { type Claim, createClaim } from "@continuum-cache/core/kit";

/**
 * Holds callers back for a moment. It opens by itself when the call that has shut it vanishes.
 */
export interface Gate {
  /** The claim of the call that has shut it; `undefined` while it is open. */
  readonly claim: Claim | undefined;
  /** Whether it is shut, and the call that has shut it still runs. */
  readonly isShut: boolean;
  shut(): void;
  /** @returns whether callers were waiting; they continue in the next microtasks. */
  open(): boolean;
  /** Resolves when it opens, or after `longestMs`. */
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
