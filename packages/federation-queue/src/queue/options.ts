import type { CallOptions, Codec, Duration } from "@continuum-cache/core";
import type { KnownOptions } from "@continuum-cache/core/kit";
import { knownCall, type OutboxOptions } from "../shared/options.ts";
import type { ConsumeOptions, NackOptions, StopOptions } from "./types.ts";

/** The exponential backoff of failed messages: the delay doubles with each failure, with jitter. */
export interface BackoffOptions {
  /** The delay after the first failure. @default "1s" */
  readonly initial?: Duration;
  /** The longest delay. @default "15m" */
  readonly max?: Duration;
}

/**
 * Options of a FederationQueue. A bare number for a time is seconds. All processes of a queue should use the same
 * values.
 */
export interface FederationQueueOptions {
  /** The priorities, the most urgent first; each is a stream of its own. @default ["high", "normal", "low"] */
  readonly priorities?: readonly string[];
  /** The priority of a push that names none. @default "normal", or the first priority if there is no "normal" */
  readonly defaultPriority?: string;
  /**
   * How long a message may wait before it becomes a dead letter, and how long dead letters and ids are kept. Processes
   * that pull or consume enforce it; a queue without any drops messages after twice this time. @default "24h"
   */
  readonly retention?: Duration;
  /** How long a lease lasts unless it is extended. @default "30s" */
  readonly visibilityTimeout?: Duration;
  /** A message becomes a dead letter after this many failures of its handler. @default 5 */
  readonly maxAttempts?: number;
  /**
   * A message becomes a dead letter after this many leases that expired, for example because the process died.
   *
   * @default 20
   */
  readonly maxCrashes?: number;
  /** The delay of a message after a failure, unless `nack` names one. */
  readonly backoff?: BackoffOptions;
  /** The prefix of all keys. @default "fed:queue" */
  readonly prefix?: string;
  /** The codec of events. Of a list, the first writes and all read; JSON is always read. @default the backend's */
  readonly codec?: Codec | readonly Codec[];
  /**
   * How often an idle worker asks Redis for messages, in case a notification was lost. Where the backend can't
   * subscribe, a message may wait this long. @default "30s"
   */
  readonly pollInterval?: Duration;
  /**
   * The bounds of pushes that wait in this process during an outage. `false`: such a push rejects.
   *
   * @default 10,000 messages, 8 MiB
   */
  readonly outbox?: OutboxOptions | false;
  /**
   * How long accepted pushes are remembered, so that this process can push them again after a failover that lost them:
   * the latest 10,000, up to 8 MiB. Acked messages stay in Redis for the same time. `false`: no repair. @default "60s"
   */
  readonly repair?: Duration | false;
  /** The timeout of calls that name none. @default "5s" */
  readonly timeout?: Duration;
  /** The largest encoded event that `push` accepts, in bytes. @default 1_048_576 (1 MiB) */
  readonly maxEventBytes?: number;
}

/** Options of one message. */
export interface MessageOptions {
  /** One of the queue's priorities. @default the queue's `defaultPriority` */
  readonly priority?: string;
  /** Pushing the same id again within `retention` does nothing. @default a random id, without that check */
  readonly id?: string;
  /** How long the message waits before a worker can get it. @default 0 */
  readonly delay?: Duration;
}

/** Options of `push`. */
export interface PushOptions extends MessageOptions, Pick<CallOptions, "signal"> {
  /** The timeout of this call. @default the queue's */
  readonly timeout?: Duration;
  /** `false`: the push rejects when Redis does not answer, instead of waiting in this process. @default true */
  readonly fallback?: boolean;
}

/** One of the messages of `pushMany`. */
export interface OutgoingMessage<Event> extends MessageOptions {
  readonly event: Event;
}

/** The result of a push. */
export interface Pushed {
  readonly id: string;
  /** A message with this id was pushed within `retention`: this push did nothing. */
  readonly duplicate?: true;
  /** Redis does not answer: the message waits in this process, and is lost if the process dies. */
  readonly pending?: true;
}

/** Options of one call. */
export interface CallingOptions extends Pick<CallOptions, "signal"> {
  /** The timeout of this call. @default the queue's */
  readonly timeout?: Duration;
}

/** Options of `pull`. */
export interface PullOptions extends CallingOptions {
  /** The most messages to take, up to 500. @default 1 */
  readonly max?: number;
}

/** Options of `dead`. */
export interface DeadOptions extends CallingOptions {
  /** The most dead letters to read, up to 10,000. @default 100 */
  readonly max?: number;
}

/** Options of `redrive`. It takes one or two round trips per 100 dead letters; `timeout` applies to each of them. */
export interface RedriveOptions extends CallingOptions {
  /** The most dead letters to push again. @default all */
  readonly max?: number;
  /** Only messages with these ids. @default all */
  readonly ids?: readonly string[];
}

// The names of all options, for `assertOptions`. A missing name is a type error.

export const knownBackoff: KnownOptions<BackoffOptions> = { initial: true, max: true };
export const knownQueue: KnownOptions<FederationQueueOptions> = {
  priorities: true,
  defaultPriority: true,
  retention: true,
  visibilityTimeout: true,
  maxAttempts: true,
  maxCrashes: true,
  backoff: true,
  prefix: true,
  codec: true,
  pollInterval: true,
  outbox: true,
  repair: true,
  timeout: true,
  maxEventBytes: true,
};
const knownMessage: KnownOptions<MessageOptions> = { priority: true, id: true, delay: true };
export const knownPush: KnownOptions<PushOptions> = { ...knownMessage, ...knownCall, fallback: true };
export const knownPushMany: KnownOptions<Omit<PushOptions, "id" | "delay">> = {
  priority: true,
  ...knownCall,
  fallback: true,
};
export const knownOutgoing: KnownOptions<MessageOptions & { event: unknown }> = { event: true, ...knownMessage };
export const knownPull: KnownOptions<PullOptions> = { max: true, ...knownCall };
export const knownDead: KnownOptions<DeadOptions> = { max: true, ...knownCall };
export const knownRedrive: KnownOptions<RedriveOptions> = { max: true, ids: true, ...knownCall };
export const knownConsume: KnownOptions<ConsumeOptions> = { concurrency: true, maxDuration: true, signal: true };
export const knownStop: KnownOptions<StopOptions> = { timeout: true };
export const knownNack: KnownOptions<NackOptions> = { delay: true, reason: true };
