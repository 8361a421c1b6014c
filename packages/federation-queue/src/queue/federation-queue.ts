import { ConfigError, type Events, TransportError } from "@continuum-cache/core";
import { assertOptions, createEvents, toMs, wholeNumberOption } from "@continuum-cache/core/kit";
import { knownCall } from "../shared/call-options.ts";
import type { FederationBackend } from "../shared/federation-backend.ts";
import { assertFunction, assertSignal, kindOf, readAsked } from "../shared/read-options.ts";
import { readDead, redrive } from "./dead-letters.ts";
import {
  knownConsume,
  knownDead,
  knownOutgoing,
  knownPull,
  knownPush,
  knownPushMany,
  knownRedrive,
} from "./known-options.ts";
import { maxInFlight } from "./leases.ts";
import type {
  CallingOptions,
  DeadOptions,
  FederationQueueOptions,
  OutgoingMessage,
  PullOptions,
  Pushed,
  PushOptions,
  RedriveOptions,
} from "./options.ts";
import { outgoing } from "./outgoing.ts";
import { createQueueParts, type QueueParts } from "./queue-parts.ts";
import { readStats } from "./read-stats.ts";
import { readQueueSettings } from "./settings.ts";
import type { ConsumeOptions, DeadLetter, Handler, Lease, QueueEvents, QueueStats, Worker } from "./types.ts";

const noOptions: PushOptions = {};

/**
 * Hands out work that one of many processes does: at least once, fenced, retried, and never lost without a word. A
 * `SyncLog` is for what every process must see.
 *
 * Messages are delivered at least once: a process that dies, or is cut off for longer than its lease, has its messages given
 * to another. Whatever a handler does should bear to be done twice; `lease.id` tells that it is the same message.
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
 * await worker.stop(); // finishes what is begun, gives back the rest
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

  /** @throws ConfigError that quotes the option that can't be. Nothing is sent. */
  constructor(backend: FederationBackend, options: FederationQueueOptions = {}) {
    this.parts = createQueueParts<Event>(readQueueSettings(backend, options), this.events.emit);
  }

  /** How many pushes wait in this process for Redis to be back. */
  get pending(): number {
    return this.parts.pusher.pending;
  }

  /**
   * Puts a message into the queue. It is 1 command, and 1 for a ring of the doorbell in which pushes of some milliseconds
   * share; with an `id` it is 2 more, with a `delay` too.
   *
   * @throws TransportError when no answer came, and nothing may wait in this process or there is no room. A push whose
   *   `delivery` is `"unknown"` may have been done; with an `id` it can be repeated without harm.
   * @throws RangeError or CodecError when the event can't be, ConfigError when an option can't be: nothing was pushed.
   */
  push(event: Event, options: PushOptions = noOptions): Promise<Pushed> {
    try {
      if (options !== noOptions) assertOptions("push", options, knownPush);
      const { settings, pusher } = this.parts;
      const { timeout, signal, fallback } = options;
      const isPlain = timeout === undefined && signal === undefined && fallback === undefined;
      if (isPlain) this.assertOpen();
      const asked = isPlain ? undefined : this.asked(options);
      return pusher.push(outgoing(event, options, settings), asked);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Puts many messages into the queue, in order, in as few trips as can be.
   *
   * @throws as `push` does; some of them may be in the queue then, or wait for Redis: those with an `id` can be repeated
   *   without harm.
   */
  async pushMany(
    messages: readonly OutgoingMessage<Event>[],
    options: Omit<PushOptions, "id" | "delay"> = {},
  ): Promise<readonly Pushed[]> {
    assertOptions("pushMany", options, knownPushMany);
    const asked = this.asked(options);
    const { settings, pusher } = this.parts;
    const { priority } = options;
    const outs = messages.map((message) => {
      assertOptions("a message of pushMany", message, knownOutgoing);
      return outgoing(message.event, message, settings, priority);
    });
    return pusher.pushMany(outs, asked);
  }

  /**
   * Takes messages that wait, at most `max` and 500 with those that this object holds already; none where there is nothing.
   * The most urgent come first, but each priority has its share. Whoever pulls has to `ack`, `nack` or `extend` each lease
   * in time. To work on messages as they come, use `consume`: it is cheaper, too.
   *
   * @throws TransportError when no answer came.
   */
  async pull(options: PullOptions = {}): Promise<readonly Lease<Event>[]> {
    assertOptions("pull", options, knownPull);
    const max = wholeNumberOption("max", options.max ?? 1, { max: maxInFlight });
    const asked = this.asked(options);
    const { leases, pull, giveBack } = this.parts;
    const room = Math.min(max, leases.room());
    const held = room > 0 ? await pull(room, asked) : [];
    if (this.closing) {
      await giveBack(held);
      this.assertOpen();
    }
    return held.map(({ lease }) => lease);
  }

  /** Works on messages as they come: returning acks a message, throwing nacks it. Leases are extended meanwhile. */
  consume(handler: Handler<Event>, options: ConsumeOptions = {}): Worker {
    assertFunction("handler", handler);
    assertOptions("consume", options, knownConsume);
    const { signal } = options;
    assertSignal(signal);
    const settings = {
      concurrency: wholeNumberOption("concurrency", options.concurrency ?? 1, { max: maxInFlight }),
      maxDurationMs: toMs(options.maxDuration ?? "1h", "maxDuration"),
      ...(signal && { signal }),
    };
    this.assertOpen();
    return this.parts.work(handler, settings);
  }

  /** How the queue stands: how much waits, is worked on, is delayed, is dead. @throws TransportError when no answer came. */
  async stats(options: CallingOptions = {}): Promise<QueueStats> {
    assertOptions("stats", options, knownCall);
    return readStats(this.parts.link, this.parts.settings, this.pending, this.asked(options));
  }

  /** Messages that were given up, the latest first. @throws TransportError when no answer came. */
  async dead(options: DeadOptions = {}): Promise<readonly DeadLetter<Event>[]> {
    assertOptions("dead", options, knownDead);
    const max = wholeNumberOption("max", options.max ?? 100, { max: 10_000 });
    return readDead<Event>(this.parts.link, this.parts.settings, max, this.asked(options));
  }

  /**
   * Puts dead messages into the queue again, with counters and times anew, the earliest first.
   *
   * @returns how many.
   * @throws TransportError when no answer came; some of them may be back then.
   */
  async redrive(options: RedriveOptions = {}): Promise<number> {
    assertOptions("redrive", options, knownRedrive);
    const max = options.max === undefined ? Number.MAX_SAFE_INTEGER : wholeNumberOption("max", options.max);
    if (options.ids !== undefined && !Array.isArray(options.ids)) {
      throw new ConfigError("ids", `Expected \`ids\` to be a list of ids, got ${kindOf(options.ids)}`);
    }
    const ids = options.ids && new Set(options.ids);
    const { link, settings } = this.parts;
    const counts = await redrive(link, settings, { max, ids }, this.asked(options));
    let total = 0;
    for (const [name, count] of counts) {
      this.parts.ring({ kind: "work", name });
      total += count;
    }
    return total;
  }

  /** Listens to an event. @returns the function that stops listening. @throws ConfigError when there is no such event. */
  on<Name extends keyof QueueEvents>(event: Name, listener: (event: QueueEvents[Name]) => void): () => void {
    return this.events.on(event, listener);
  }

  /**
   * Stops the workers as `Worker.stop` does, gives back what is held, pushes what waits for Redis, and looks whether what was
   * pushed lately survived a failover, if Redis is there in time: each takes `timeout` at most. What is lost with this process
   * is told by `error`. The transport stays open: it is its owner's. Safe to call twice.
   */
  close(): Promise<void> {
    this.closing ??= this.parts.close();
    return this.closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private asked(options: CallingOptions & { readonly fallback?: boolean }): ReturnType<typeof readAsked> {
    const asked = readAsked(options);
    this.assertOpen();
    return asked;
  }

  private assertOpen(): void {
    if (!this.closing) return;
    const transport = this.parts.link.name;
    throw new TransportError("closed", "The queue was closed", { transport, delivery: "none" });
  }
}
