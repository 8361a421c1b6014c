import type { ContenderName } from "./clients/catalog.ts";
import type { Address, Keeping, Wish } from "./clients/contender.ts";
import type { OurSettings } from "./clients/ours.ts";

/** What a process of a run is told to do, and where it writes its records: JSON, one a line. */
interface TaskBase {
  readonly process: string;
  readonly file: string;
  readonly address: Address;
  readonly settings: OurSettings;
}

/** One publisher: it waits for each call before it makes the next. */
export interface LaneTask {
  readonly publisher: string;
  readonly channel: string;
  readonly replay?: Keeping;
  /** The longest pause between two calls; a burst has none. */
  readonly jitterMs: number;
}

export interface PublishTask extends TaskBase {
  readonly kind: "publish";
  readonly seed: number;
  readonly lanes: readonly LaneTask[];
}

/** One subscription, from some time after the beginning, and up to some time or to the end. */
export interface SubscriptionTask {
  readonly subscriber: string;
  readonly wish: Wish;
  /** All channels of the run that it hears; none: what it hears is of no interest. */
  readonly channels: readonly string[];
  readonly afterMs?: number;
  readonly openAfterMs: number;
  readonly closeAfterMs?: number;
}

export interface SubscribeTask extends TaskBase {
  readonly kind: "subscribe";
  readonly contender: ContenderName;
  readonly subscriptions: readonly SubscriptionTask[];
}

export type Task = PublishTask | SubscribeTask;

/** What a process at work is told. */
export type Note =
  /** All faults are over since then; whoever has heard a message from later is to say so. */
  | { readonly kind: "healed"; readonly atMs: number }
  /** The work is done. */
  | { readonly kind: "stop" };

/** What a process tells. */
export type Told =
  | { readonly kind: "ready" }
  /** All that was to be opened at once is open. */
  | { readonly kind: "opened" }
  /** Every subscription has heard a message from after the last fault. */
  | { readonly kind: "fresh" }
  | { readonly kind: "done" };
