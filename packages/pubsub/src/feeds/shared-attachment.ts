import type { CallOptions } from "@continuum-cache/core";
import { type Claim, createClaim, withDeadline } from "@continuum-cache/core/kit";
import type { Attachment } from "../hub/hub.ts";

/** One attachment for several, there for as long as any of them needs it. */
export interface SharedAttachment {
  /** @throws TransportError when it is not there within the caller's time; other callers go on waiting. */
  take(options: CallOptions): Promise<Attachment>;
  /** To be called once for each `take` that succeeded. */
  giveBack(): void;
}

interface Shared {
  /** Held while it is being made. */
  readonly claim: Claim;
  readonly life: AbortController;
  outcome: PromiseSettledResult<Attachment> | undefined;
  users: number;
}

/** @param attach - Makes it; the signal fires when no caller needs it any more. */
export function shareAttachment(name: string, attach: (signal: AbortSignal) => Promise<Attachment>): SharedAttachment {
  let current: Shared | undefined;

  const make = (): Shared => {
    const shared: Shared = { claim: createClaim(), life: new AbortController(), outcome: undefined, users: 0 };
    const settle = (outcome: PromiseSettledResult<Attachment>): void => {
      shared.outcome = outcome;
      shared.claim.release();
      // All that waited for it have left.
      if (shared.users === 0) drop(shared);
    };
    attach(shared.life.signal).then(
      (value) => settle({ status: "fulfilled", value }),
      (reason: unknown) => settle({ status: "rejected", reason }),
    );
    return shared;
  };

  const drop = (shared: Shared): void => {
    if (current === shared) current = undefined;
    if (!shared.outcome) shared.life.abort();
    else if (shared.outcome.status === "fulfilled") shared.outcome.value.detach();
  };

  const giveBack = (shared: Shared): void => {
    if (--shared.users === 0) drop(shared);
  };

  const take = async (signal: AbortSignal): Promise<Attachment> => {
    for (;;) {
      current ??= make();
      const mine = current;
      mine.users++;
      await mine.claim.released({ signal });
      if (mine.outcome?.status === "fulfilled" && !signal.aborted) return mine.outcome.value;
      // What has failed for one has failed for all, and the next one tries anew.
      giveBack(mine);
      if (mine.outcome?.status === "rejected") throw mine.outcome.reason;
      if (signal.aborted) throw signal.reason;
      // The call that was making it has vanished.
      if (current === mine) current = undefined;
    }
  };

  return {
    take: (options) => withDeadline(name, options, take),
    giveBack() {
      if (current) giveBack(current);
    },
  };
}
