import type { CallOptions, Codec, Duration } from "@continuum-cache/core";
import type { OutboxOptions } from "../shared/outbox-options.ts";

/** How failed messages are put off: twice as long each time, with a random part. */
export interface BackoffOptions {
  /** The wait after the first failure. @default "1s" */
  readonly initial?: Duration;
  /** The longest wait. @default "15m" */
  readonly max?: Duration;
}

/** How a FederationQueue works. A bare number for a time is seconds. All processes of a queue should agree on these. */
export interface FederationQueueOptions {
  /** The priorities there are, the most urgent first; each is a stream of its own. @default ["high", "normal", "low"] */
  readonly priorities?: readonly string[];
  /** Which priority a push has that names none. @default "normal", or the first where there is no such */
  readonly defaultPriority?: string;
  /**
   * How long a message may wait before it is given up to the dead letters, and how long these and ids are kept. That is for
   * whoever pulls or consumes to see to; where nobody does, messages are dropped after twice the time. @default "24h"
   */
  readonly retention?: Duration;
  /** How long a message is its worker's alone: the lease. Who does not extend it in time has lost it. @default "30s" */
  readonly visibilityTimeout?: Duration;
  /** After so many failures of its handler a message is dead. @default 5 */
  readonly maxAttempts?: number;
  /** After so many leases that ended without a word (processes that died) a message is dead. @default 20 */
  readonly maxCrashes?: number;
  /** How long a message waits after a failure when `nack` does not say so. */
  readonly backoff?: BackoffOptions;
  /** What the names of its keys begin with. @default "fed:queue" */
  readonly prefix?: string;
  /** How events are written. Of a list the first writes and all read; JSON is always read. @default the backend's */
  readonly codec?: Codec | readonly Codec[];
  /**
   * How often an idle worker looks by itself, should a ring of the doorbell have been lost. Where the backend can't subscribe,
   * a message may wait for so long. @default "30s"
   */
  readonly pollInterval?: Duration;
  /** What may wait in this process while Redis is away. `false`: a push rejects then. @default 10,000 messages, 8 MiB */
  readonly outbox?: OutboxOptions | false;
  /**
   * For how long a push is remembered that Redis had accepted, to be repeated should a failover have lost it: the latest
   * 10,000, up to 8 MiB. Done messages stay in Redis for as long. `false`: nothing is remembered. @default "60s"
   */
  readonly repair?: Duration | false;
  /** How long a call may take when it does not say so itself. @default "5s" */
  readonly timeout?: Duration;
  /** Larger events are refused, in bytes as they travel. @default 1_048_576 (1 MiB) */
  readonly maxEventBytes?: number;
}

/** What a message may ask for. */
export interface MessageOptions {
  /** One of the queue's priorities. @default the queue's `defaultPriority` */
  readonly priority?: string;
  /** Pushing the same id again within `retention` does nothing. @default a random id, which is not looked up */
  readonly id?: string;
  /** How long it waits before anybody gets it. @default 0 */
  readonly delay?: Duration;
}

/** What a push may ask for. */
export interface PushOptions extends MessageOptions, Pick<CallOptions, "signal"> {
  /** How long the call may take. @default the queue's */
  readonly timeout?: Duration;
  /** `false`: the push rejects when Redis does not answer, instead of waiting in this process. @default true */
  readonly fallback?: boolean;
}

/** One of several messages that are pushed in one trip. */
export interface OutgoingMessage<Event> extends MessageOptions {
  readonly event: Event;
}

/** What became of a push. */
export interface Pushed {
  readonly id: string;
  /** A message with this id was there already, or was within `retention`: nothing was pushed. */
  readonly duplicate?: true;
  /** Redis is away: the message waits in this process, and is lost with it. */
  readonly pending?: true;
}

/** What a call may ask for. */
export interface CallingOptions extends Pick<CallOptions, "signal"> {
  /** How long the call may take. @default the queue's */
  readonly timeout?: Duration;
}

/** How much to take. */
export interface PullOptions extends CallingOptions {
  /** How many messages at most, up to 500. @default 1 */
  readonly max?: number;
}

/** How many dead messages to look at. */
export interface DeadOptions extends CallingOptions {
  /** At most, up to 10,000. @default 100 */
  readonly max?: number;
}

/** Which dead messages to push again. It takes a trip or two for each 100; `timeout` is for each of them. */
export interface RedriveOptions extends CallingOptions {
  /** How many at most. @default all */
  readonly max?: number;
  /** Only messages with these ids. @default all */
  readonly ids?: readonly string[];
}
