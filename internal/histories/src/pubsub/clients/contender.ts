import type { Place } from "../record.ts";

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

export interface Gap {
  readonly from: Date;
  readonly to: Date;
  readonly missed?: number;
  readonly reason: string;
}

/** Gets what a subscription hears. */
export interface Listener {
  message(arrival: Arrival): void;
  gap(gap: Gap): void;
}

/** What to listen to: one channel, or one pattern. */
export interface SubscriptionOptions {
  readonly kind: "channel" | "pattern";
  readonly name: string;
  /** Present when gaps are to be repaired from the history. */
  readonly replay?: Keeping;
  readonly after?: Place | "beginning";
  /** A loop that takes so long for each message; absent: a handler, called for each. */
  readonly loopMs?: number;
}

/** A subscription that is open. */
export interface Listening {
  close(): Promise<void>;
}

/** One pub/sub client. */
export interface Contender {
  /** @throws what went wrong; a TransportError says whether it may have been published. */
  publish(channel: string, data: unknown, replay?: Keeping): Promise<Sent>;
  listen(options: SubscriptionOptions, listener: Listener): Promise<Listening>;
  close(): Promise<void>;
}
