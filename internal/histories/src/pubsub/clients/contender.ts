import type { Place } from "../record.ts";

/** Where a client finds its server: both at once, so that one way can be compared with the other. */
export interface Address {
  readonly url: string;
  readonly rest: { readonly url: string; readonly token: string } | undefined;
}

/** How much history is kept. */
export interface Keeping {
  readonly count: number;
  readonly ageMs: number;
}

/** What became of a message. */
export interface Sent {
  readonly position?: Place;
  readonly isDegraded?: true;
}

export interface Arrival {
  readonly channel: string;
  readonly data: unknown;
  readonly position?: Place;
  readonly degraded?: true;
}

export interface ToldGap {
  readonly from: Date;
  readonly to: Date;
  readonly missed?: number;
  readonly reason: string;
}

/** Who is told what a subscription hears. */
export interface Ear {
  message(arrival: Arrival): void;
  gap(gap: ToldGap): void;
}

/** What to listen to: one channel, or one pattern. */
export interface Wish {
  readonly kind: "channel" | "pattern";
  readonly name: string;
  /** Present when gaps are to be repaired from the history. */
  readonly replay?: Keeping;
  readonly after?: Place | "beginning";
  /** A loop that takes so long for each message; absent: a handler, called for each. */
  readonly loopMs?: number;
}

export interface Listening {
  close(): Promise<void>;
}

/** One pub/sub client. */
export interface Contender {
  /** @throws what went wrong; `deliveryOf` tells whether it may have been published. */
  publish(channel: string, data: unknown, replay?: Keeping): Promise<Sent>;
  listen(wish: Wish, ear: Ear): Promise<Listening>;
  close(): Promise<void>;
}
