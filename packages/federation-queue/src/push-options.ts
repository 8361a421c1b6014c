import type { CallOptions, Duration } from "@continuum-cache/core";

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
