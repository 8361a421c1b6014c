import { type Events, type SendOptions, TransportError } from "@continuum-cache/core";
import {
  assertOptions,
  createEvents,
  functionOption,
  signalOption,
  toError,
  toMessageText,
  toSendOptions,
  toWireChannel,
} from "@continuum-cache/core/kit";
import { createReceivers, type Receivers } from "./consuming/receivers.ts";
import type {
  ListenOptions,
  PublishOptions,
  PubSubBackend,
  PubSubOptions,
  ReplayOptions,
  SubscribeCallOptions,
  SubscribeOptions,
  SubscriptionHandlers,
} from "./options.ts";
import type { Publisher } from "./publishing/publisher.ts";
import { createPubSubParts, type PubSubParts } from "./pubsub-parts.ts";
import {
  assertAfter,
  knownListen,
  knownPattern,
  knownPublish,
  knownSubscribe,
  type PubSubSettings,
  type ReplaySettings,
  readReplay,
  readSettings,
} from "./settings.ts";
import type { SourceRequest } from "./sources/channel-sources.ts";
import type { JoinOptions } from "./sources/subscriber.ts";
import { createSubscriptions } from "./subscriptions.ts";
import type { ChannelSubscription, Message, Published, PubSubEvents } from "./types.ts";

const noOptions: PublishOptions = {};

/**
 * Publishes and subscribes, and misses nothing in silence: it reports each interruption as a gap, and repairs channels
 * with a history by itself. All features that share a transport listen through one connection, which reconnects.
 *
 * @example
 * ```ts
 * import { PubSub } from "@continuum-cache/pubsub";
 * import { tcpTransport } from "@continuum-cache/transport-tcp";
 *
 * const pubsub = new PubSub({ transport: tcpTransport({ url: "redis://127.0.0.1:6379" }) });
 * pubsub.on("gap", ({ channel, from, to, missed }) => console.warn(channel, from, to, missed ?? "some"));
 *
 * await pubsub.subscribe("orders", { replay: true });
 * await pubsub.publish("orders", { id: 7 }, { replay: { count: 10_000, age: "1d" } });
 * for await (const { channel, data, position } of pubsub.listen()) {
 *   console.log(channel, data, position?.seq);
 *   break;
 * }
 * await pubsub.close();
 * ```
 */
export class PubSub implements AsyncDisposable {
  private readonly settings: PubSubSettings;
  private readonly receivers: Receivers;
  private readonly parts: PubSubParts;
  /** The publishing part, once it is loaded. */
  private publisher: Publisher | undefined;
  private readonly events: Events<PubSubEvents> = createEvents<PubSubEvents>({
    message: true,
    gap: true,
    connection: true,
    error: true,
  });
  private readonly subscriptions = createSubscriptions();
  private isClosed = false;

  /** @throws ConfigError that quotes the wrong option. */
  constructor(backend: PubSubBackend, options: PubSubOptions = {}) {
    this.settings = readSettings(backend, options);
    const { events } = this;
    this.parts = createPubSubParts(this.settings, {
      onError: (channel, error, position) =>
        events.emit("error", { channel, error: toError(error), ...(position && { position }) }),
      onConnection: (change) => events.emit("connection", change),
      onOver: () => void this.close(),
    });
    this.receivers = createReceivers({
      sources: { join: async (...asked) => (await this.parts.sources()).join(...asked) },
      buffer: this.settings.buffer,
      onGap: (gap) => events.emit("gap", gap),
    });
  }

  /**
   * Listens to channels. Resolves once the server has confirmed: every message that is published afterwards is heard.
   *
   * A second subscription to a channel does not double the messages of `listen()` and `on("message")`, as with
   * SUBSCRIBE in Redis. Each subscription is closed on its own: the channel is heard until the last one is closed. The
   * handler of a subscription gets each message as well.
   *
   * @example
   * ```ts
   * import type { PubSub } from "@continuum-cache/pubsub";
   *
   * async function remounted(pubsub: PubSub): Promise<void> {
   *   const first = await pubsub.subscribe("news");
   *   const second = await pubsub.subscribe("news");
   *   await first.close(); // "news" is still heard, once
   *   await second.close(); // now it is not
   * }
   * ```
   *
   * @throws TransportError when the server did not confirm in time; nothing is listened to then.
   * @throws TypeError or RangeError when a channel's name is not valid, ConfigError when an option is not valid.
   */
  async subscribe<Data = unknown>(
    channel: string | readonly string[],
    options: SubscribeOptions<Data> = {},
  ): Promise<ChannelSubscription> {
    assertOptions("subscribe", options, knownSubscribe);
    const { after } = options;
    const channels = namesOf("channel", channel);
    const replay = this.replayFor(options);
    if (after !== undefined) assertAfter(after, replay !== undefined, channels.length);
    const requests = channels.map((name): SourceRequest => {
      toWireChannel(name);
      return { kind: "channel", name, replay };
    });
    return this.join(requests, options, after === undefined ? {} : { after });
  }

  /**
   * Listens to all channels that match a glob. As Redis does, it delivers a message once for each matching pattern,
   * which `pattern` names, and once for its channel if that has a subscription.
   *
   * @throws TransportError when the server did not confirm in time; nothing is listened to then.
   * @throws TypeError or RangeError when a pattern is not valid, ConfigError when an option is not valid.
   */
  async psubscribe<Data = unknown>(
    pattern: string | readonly string[],
    options: SubscriptionHandlers<Data> & SubscribeCallOptions = {},
  ): Promise<ChannelSubscription> {
    assertOptions("psubscribe", options, knownPattern);
    const patterns = namesOf("pattern", pattern);
    return this.join(
      patterns.map((name) => ({ kind: "pattern", name, replay: undefined })),
      options,
      {},
    );
  }

  /** Ends the subscriptions that name any of these channels, or all of them when it names none. */
  async unsubscribe(...channels: readonly string[]): Promise<void> {
    await this.subscriptions.close("channel", channels);
  }

  /** Ends the subscriptions that name any of these patterns, or all of them when it names none. */
  async punsubscribe(...patterns: readonly string[]): Promise<void> {
    await this.subscriptions.close("pattern", patterns);
  }

  /**
   * Iterates over the messages of all subscriptions without a handler, each once, however many of them name its
   * channel. Messages that come before the first loop begins, or while its body runs, wait within the bounds of
   * `buffer`. The loop ends with `close()` or the signal.
   *
   * @throws SlowConsumerError in the loop, when `whenFull` is `"disconnect"`.
   */
  listen<Data = unknown>(options: ListenOptions = {}): AsyncIterableIterator<Message<Data>> {
    assertOptions("listen", options, knownListen);
    signalOption(options.signal);
    this.hearOthers();
    return this.receivers.loop(options.signal) as AsyncIterableIterator<Message<Data>>;
  }

  /**
   * Listens to an event. @returns the function that stops listening. @throws ConfigError when there is no such event.
   */
  on<Name extends keyof PubSubEvents>(event: Name, listener: (event: PubSubEvents[Name]) => void): () => void {
    const stop = this.events.on(event, listener);
    this.hearOthers();
    if (event !== "message") return stop;
    stop();
    return this.receivers.listen(listener as (message: Message) => void);
  }

  /**
   * Publishes a message to a channel, as 1 command. With `replay` it also appends the message to the channel's history,
   * as 2 commands, and 1 more for all messages of the same tick to that history.
   *
   * @throws TransportError when no answer came. A message whose `delivery` is `"unknown"` may have been published.
   * @throws RangeError when the message is larger than `maxMessageBytes`, CodecError when it can't be encoded,
   *   ConfigError when an option is not valid: nothing was published.
   */
  publish(channel: string, data: unknown, options: PublishOptions = noOptions): Promise<Published> {
    try {
      assertOptions("publish", options, knownPublish);
      const { codec, maxMessageBytes, timeoutMs, transport } = this.settings;
      const wire = toWireChannel(channel);
      const replay = this.replayFor(options);
      const sendOptions: SendOptions = { timeoutMs, ...toSendOptions(options) };
      if (this.isClosed) throw closedError(transport.name);
      const text = toMessageText(codec.encode(data));
      // A UTF-16 unit is at most three bytes.
      const bytes = text.length * 3 <= maxMessageBytes ? 0 : new TextEncoder().encode(text).length;
      if (bytes > maxMessageBytes) {
        throw new RangeError(
          `Expected a message for the channel ${JSON.stringify(channel.slice(0, 40))} ` +
            `of at most ${maxMessageBytes} bytes, got ${bytes}; send less, or raise \`maxMessageBytes\``,
        );
      }
      const publishBy = (publisher: Publisher): Promise<Published> =>
        replay ? publisher.append(wire, text, replay, sendOptions) : publisher.send(wire, text, sendOptions);
      return this.publisher ? publishBy(this.publisher) : this.publishFirst(publishBy);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Ends all subscriptions and loops, as the end of its transport does. The transport stays open, since its owner
   * closes it. Safe to call twice.
   */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await Promise.all([this.subscriptions.close("channel", []), this.subscriptions.close("pattern", [])]);
    this.receivers.end();
    this.parts.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Another PubSub may have opened the connection of this transport: its changes and its end are reported here too. */
  private hearOthers(): void {
    // A failure to load rejects the next subscription.
    if (!this.isClosed) this.parts.sources().catch(() => {});
  }

  /** Loads the publishing part. Each call that waited for it sets it, so no later call overtakes them. */
  private async publishFirst(publishBy: (publisher: Publisher) => Promise<Published>): Promise<Published> {
    this.publisher = await this.parts.publisher();
    return publishBy(this.publisher);
  }

  private replayFor({ replay }: { readonly replay?: boolean | ReplayOptions }): ReplaySettings | undefined {
    return replay === undefined ? this.settings.replay : readReplay(replay);
  }

  private async join<Data>(
    requests: readonly SourceRequest[],
    options: SubscriptionHandlers<Data> & SubscribeCallOptions,
    from: Pick<JoinOptions, "after">,
  ): Promise<ChannelSubscription> {
    functionOption("onMessage", options.onMessage);
    functionOption("onGap", options.onGap);
    const asked = { timeoutMs: this.settings.timeoutMs, ...toSendOptions(options), ...from };
    if (this.isClosed) throw closedError(this.settings.transport.name);
    const joins = await Promise.allSettled(
      requests.map((request) => this.receivers.join(request, options as SubscriptionHandlers<unknown>, asked)),
    );
    const subscribed = joins.flatMap((join) => (join.status === "fulfilled" ? [join.value] : []));
    const refused = joins.find((join) => join.status === "rejected");
    if (refused || this.isClosed) {
      for (const subscription of subscribed) subscription.leave();
      throw refused ? refused.reason : closedError(this.settings.transport.name);
    }
    return this.subscriptions.add(requests, subscribed);
  }
}

function namesOf(kind: string, names: string | readonly string[]): string[] {
  if (typeof names !== "string" && !Array.isArray(names)) {
    throw new TypeError(`Expected a ${kind} to be a non-empty string, or several in an array, got ${typeof names}`);
  }
  const all = [...new Set([names].flat())];
  if (all.length === 0) throw new RangeError(`Expected at least one ${kind} to listen to, got none`);
  return all;
}

const closedError = (transport: string): TransportError =>
  new TransportError("closed", "The PubSub was closed", { transport, delivery: "none" });
