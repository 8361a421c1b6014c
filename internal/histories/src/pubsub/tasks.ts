import type { Session, TaskBase } from "../fleet/serve.ts";
import type { Address } from "../site/address.ts";
import type { ContenderName } from "./clients/catalog.ts";
import type { Keeping, SubscriptionOptions } from "./clients/contender.ts";
import type { OurSettings } from "./clients/ours.ts";

interface PubSubTaskBase extends TaskBase {
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

export interface PublishTask extends PubSubTaskBase {
  readonly kind: "publish";
  readonly seed: number;
  readonly lanes: readonly LaneTask[];
}

/** One subscription, from some time after the beginning, and up to some time or to the end. */
export interface SubscriptionTask {
  readonly subscriber: string;
  readonly options: SubscriptionOptions;
  /** All channels of the run that it hears; none: what it hears is of no interest. */
  readonly channels: readonly string[];
  readonly afterMs?: number;
  readonly openAfterMs: number;
  readonly closeAfterMs?: number;
}

export interface SubscribeTask extends PubSubTaskBase {
  readonly kind: "subscribe";
  readonly contender: ContenderName;
  readonly subscriptions: readonly SubscriptionTask[];
}

export type PubSubTask = PublishTask | SubscribeTask;

/** What subscribers are asked for. A publisher can only be stopped. */
export interface PubSubApi extends Session {
  /** Resolves when all that was to be opened at once is open. */
  opened(): Promise<void>;
  /** All faults are over since then. Resolves when every subscription has heard a later message, or hangs. */
  healed(atMs: number): Promise<void>;
  stop(): Promise<void>;
}
