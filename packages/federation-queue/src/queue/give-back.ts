import { isLeaseLostError } from "../lease-lost-error.ts";
import type { Held } from "./leases.ts";

/** Gives leases back, as if they had never been given out. Never rejects. */
export type GiveBack = (leases: readonly Held[]) => Promise<void>;

/** @param onError - Called once when nobody answers: they come back by themselves then, later. */
export function createGiveBack(onError: (error: unknown) => void): GiveBack {
  return async (leases) => {
    let hasFailed = false;
    await Promise.all(
      leases.map(async ({ lease, state }) => {
        try {
          if (state === "held") await lease.release();
        } catch (error) {
          // One whose time was over is somebody else's by now, which is well.
          if (isLeaseLostError(error)) return;
          if (!hasFailed) onError(error);
          hasFailed = true;
        }
      }),
    );
  };
}
