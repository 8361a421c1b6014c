import { type CallOptions, withDeadline } from "@continuum-cache/core";
import type { Attachment } from "../hub/hub.ts";

/** One attachment for several, there for as long as any of them needs it. */
export interface SharedAttachment {
  /** @throws TransportError when it is not there within the caller's time; whoever else waits goes on waiting. */
  take(options: CallOptions): Promise<Attachment>;
  /** To be called once for each `take` that succeeded. */
  giveBack(): void;
}

/** @param attach - Makes it; the signal fires when nobody needs it any more. */
export function shareAttachment(name: string, attach: (signal: AbortSignal) => Promise<Attachment>): SharedAttachment {
  let current: { readonly made: Promise<Attachment>; readonly life: AbortController; users: number } | undefined;

  const giveBack = (one: NonNullable<typeof current>): void => {
    one.users--;
    if (one.users > 0) return;
    if (current === one) current = undefined;
    one.life.abort();
    // A failure has been told to those who waited for it.
    one.made.then(
      ({ detach }) => detach(),
      () => {},
    );
  };

  return {
    async take(options) {
      if (!current) {
        const life = new AbortController();
        current = { made: attach(life.signal), life, users: 0 };
      }
      const mine = current;
      mine.users++;
      try {
        return await withDeadline(name, options, () => mine.made);
      } catch (error) {
        // What has failed for one has failed for all, and the next one tries anew.
        giveBack(mine);
        throw error;
      }
    },
    giveBack() {
      if (current) giveBack(current);
    },
  };
}
