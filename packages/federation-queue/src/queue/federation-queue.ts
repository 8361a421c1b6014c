import { ConfigError, type Events, type SendOptions } from "@continuum-cache/core";
import {
  assertOptions,
  closedError,
  createEvents,
  functionOption,
  quoted,
  signalOption,
  toMs,
  toSendOptions,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import { type FederationBackend, knownCall } from "../shared/options.ts";
import { readDead, redrive } from "./dead-letters.ts";
import { maxInFlight } from "./leases.ts";
import {
  type CallingOptions,
  type DeadOptions,
  type FederationQueueOptions,
  knownConsume,
  knownDead,
  knownOutgoing,
  knownPull,
  knownPush,
  knownPushMany,
  knownRedrive,
  type OutgoingMessage,
  type PullOptions,
  type Pushed,
  type PushOptions,
  type RedriveOptions,
} from "./options.ts";
import { toPendingPush } from "./pending-push.ts";
import { createQueueParts, type QueueParts } from "./queue-parts.ts";
import { readStats } from "./read-stats.ts";
import { readQueueSettings } from "./settings.ts";
import type { ConsumeOptions, DeadLetter, Handler, Lease, QueueEvents, QueueStats, Worker } from "./types.ts";

const noOptions: PushOptions = {};

/**
 * A work queue: one of many processes does each message, at least once, fenced by leases, with retries and dead
 * letters. Use a `SyncLog` for events that every process must see.
 *
 * If a process dies, or is cut off for longer than its lease, another process gets its messages. So handlers must be
 * idempotent; `lease.id` is the same for each delivery of a message.
 *
 * @example
 * ```ts
 * import { FederationQueue } from "@continuum-cache/federation-queue";
 * import { tcpTransport } from "@continuum-cache/transport-tcp";
 *
 * const transport = tcpTransport({ url: "redis://127.0.0.1:6379" });
 * const queue = new FederationQueue<{ readonly page: string }>({ transport });
 * queue.on("dead", ({ id, reason }) => console.warn(id, reason));
 *
 * await queue.push({ page: "/news" }, { priority: "high", id: "render:/news" });
 * const worker = queue.consume(async ({ page }) => console.log("render", page), { concurrency: 16 });
 *
 * await worker.stop(); // finishes the running handlers, releases the rest
 * await queue.close();
 * await transport.close();
 * ```
 */
export class FederationQueue<Event = unknown> implements AsyncDisposable {
  private readonly parts: QueueParts<Event>;
  private readonly events: Events<QueueEvents> = createEvents<QueueEvents>({
    error: true,
    failed: true,
    dead: true,
    recovered: true,
    kept: true,
    repaired: true,
  });
  private closing: Promise<void> | undefined;

  /** @throws ConfigError that quotes the invalid option. Nothing is sent. */
  constructor(backend: FederationBackend, options: FederationQueueOptions = {}) {
    this.parts = createQueueParts<Event>(readQueueSettings(backend, options), this.events.emit);
  }

  /** How many pushes wait in this process until Redis answers. */
  get pending(): number {
    return this.parts.pusher.pending;
  }

  /**
   * Puts a message into the queue. It costs 1 command, and 1 for a notification, which pushes within some milliseconds
   * share; an `id` costs 2 more, and so does a `delay`.
   *
   * @throws TransportError when no answer came and the push may not wait in this process, or the outbox is full. A push
   *   whose `delivery` is `"unknown"` may have succeeded; with an `id`, repeating it is harmless.
   * @throws RangeError or CodecError for an invalid event, ConfigError for an invalid option: nothing was pushed.
   */
  push(event: Event, options: PushOptions = noOptions): Promise<Pushed> {
    try {
      if (options !== noOptions) assertOptions("push", options, knownPush);
      const { settings, pusher } = this.parts;
      const { timeout, signal, fallback } = options;
      const isPlain = timeout === undefined && signal === undefined && fallback === undefined;
      if (isPlain) this.assertOpen();
      const callOptions = isPlain ? undefined : this.callOptions(options);
      return pusher.push(toPendingPush(event, options, settings), callOptions);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Puts many messages into the queue, in order, in as few round trips as possible.
   *
   * @throws as `push` does. Some messages may be in the queue then, or wait in this process; repeating those with an
   *   `id` is harmless.
   */
  async pushMany(
    messages: readonly OutgoingMessage<Event>[],
    options: Omit<PushOptions, "id" | "delay"> = {},
  ): Promise<readonly Pushed[]> {
    assertOptions("pushMany", options, knownPushMany);
    const callOptions = this.callOptions(options);
    const { settings, pusher } = this.parts;
    const { priority } = options;
    const pushes = messages.map((message) => {
      assertOptions("a message of pushMany", message, knownOutgoing);
      return toPendingPush(message.event, message, settings, priority);
    });
    return pusher.pushMany(pushes, callOptions);
  }

  /**
   * Takes waiting messages, at most `max`; this object holds at most 500 leases. The most urgent come first, but each
   * priority has its share. The caller must `ack`, `nack` or `extend` each lease before it expires. To work on messages
   * as they arrive, use `consume`, which also costs less.
   *
   * @throws TransportError when no answer came.
   */
  async pull(options: PullOptions = {}): Promise<readonly Lease<Event>[]> {
    assertOptions("pull", options, knownPull);
    const max = wholeNumberOption("max", options.max ?? 1, { max: maxInFlight });
    const callOptions = this.callOptions(options);
    const { leases, pull, releaseAll } = this.parts;
    const room = Math.min(max, leases.room());
    const records = room > 0 ? await pull(room, callOptions) : [];
    if (this.closing) {
      await releaseAll(records);
      this.assertOpen();
    }
    return records.map(({ lease }) => lease);
  }

  /** Runs the handler for each message: returning acks it, throwing nacks it. The lease is extended while it runs. */
  consume(handler: Handler<Event>, options: ConsumeOptions = {}): Worker {
    functionOption("handler", handler ?? null);
    assertOptions("consume", options, knownConsume);
    const signal = signalOption(options.signal);
    const settings = {
      concurrency: wholeNumberOption("concurrency", options.concurrency ?? 1, { max: maxInFlight }),
      maxDurationMs: toMs(options.maxDuration ?? "1h", "maxDuration"),
      ...(signal && { signal }),
    };
    this.assertOpen();
    return this.parts.work(handler, settings);
  }

  /** How many messages wait, are in flight, delayed and dead. @throws TransportError when no answer came. */
  async stats(options: CallingOptions = {}): Promise<QueueStats> {
    assertOptions("stats", options, knownCall);
    return readStats(this.parts.client, this.parts.settings, this.pending, this.callOptions(options));
  }

  /** Reads dead letters, the latest first. @throws TransportError when no answer came. */
  async dead(options: DeadOptions = {}): Promise<readonly DeadLetter<Event>[]> {
    assertOptions("dead", options, knownDead);
    const max = wholeNumberOption("max", options.max ?? 100, { max: 10_000 });
    return readDead<Event>(this.parts.client, this.parts.settings, max, this.callOptions(options));
  }

  /**
   * Puts dead letters into the queue again, with new counters and times, the earliest first.
   *
   * @returns how many.
   * @throws TransportError when no answer came; some of them may be in the queue then.
   */
  async redrive(options: RedriveOptions = {}): Promise<number> {
    assertOptions("redrive", options, knownRedrive);
    const max = options.max === undefined ? Number.MAX_SAFE_INTEGER : wholeNumberOption("max", options.max);
    if (options.ids !== undefined && !Array.isArray(options.ids)) {
      throw new ConfigError("ids", `Expected \`ids\` to be a list of ids, got ${quoted(options.ids)}`);
    }
    const ids = options.ids && new Set(options.ids);
    const { client, settings } = this.parts;
    const counts = await redrive(client, settings, { max, ids }, this.callOptions(options));
    let total = 0;
    for (const [name, count] of counts) {
      this.parts.notifier.notify({ kind: "work", name });
      total += count;
    }
    return total;
  }

  /**
   * Listens to an event.
   *
   * @returns the function that stops listening.
   * @throws ConfigError when there is no such event.
   */
  on<Name extends keyof QueueEvents>(event: Name, listener: (event: QueueEvents[Name]) => void): () => void {
    return this.events.on(event, listener);
  }

  /**
   * Stops the workers as `Worker.stop` does, releases all leases, sends the pushes that wait, and repairs a recent
   * failover. Each step takes `timeout` at most; an `error` event counts the pushes that are lost. It does not close
   * the transport, which belongs to the caller. Safe to call twice.
   */
  close(): Promise<void> {
    this.closing ??= this.parts.close();
    return this.closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private callOptions(options: CallingOptions & { readonly fallback?: boolean }): SendOptions {
    const callOptions = toSendOptions(options);
    this.assertOpen();
    return callOptions;
  }

  private assertOpen(): void {
    if (this.closing) throw closedError(this.parts.client.name, "queue");
  }
}
