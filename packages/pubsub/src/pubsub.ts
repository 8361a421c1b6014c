import { type Events, type SendOptions, TransportError } from "@continuum-cache/core";
import {
  assertOptions,
  booleanOption,
  createEvents,
  functionOption,
  NameMap,
  toError,
  toMessageText,
  toWireChannel,
} from "@continuum-cache/core/kit";
import { createReceivers, type Receivers } from "./consuming/receivers.ts";
import type { FeedRequest } from "./feeds/feeds.ts";
import type { JoinOptions, Membership } from "./feeds/member.ts";
import type { TopicKind } from "./hub/topic.ts";
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
  assertSignal,
  callOptions,
  knownListen,
  knownPattern,
  knownPublish,
  knownSubscribe,
  type PubSubSettings,
  type ReplaySettings,
  readReplay,
  readSettings,
} from "./settings.ts";
import type { ChannelSubscription, Message, Published, PubSubEvents } from "./types.ts";

const noOptions: PublishOptions = {};

/**
 * Publishes, and listens so that nothing is missed in silence: every interruption is told as a gap, and channels with a
 * history repair it by themselves. All that share a transport listen through one connection, which reconnects.
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
  /** The part that publishes, once it is loaded. */
  private publisher: Publisher | undefined;
  private readonly events: Events<PubSubEvents> = createEvents<PubSubEvents>({
    message: true,
    gap: true,
    connection: true,
    error: true,
  });
  private readonly subscriptions = new Set<ChannelSubscription>();
  /** The same by each name, so that ending one does not look at the others. */
  private readonly named = { channel: new NameMap(), pattern: new NameMap() } as Record<TopicKind, Named>;
  private isClosed = false;

  /** @throws ConfigError that quotes the option that can't be. */
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
      feeds: { join: async (...asked) => (await this.parts.feeds()).join(...asked) },
      buffer: this.settings.buffer,
      onGap: (gap) => events.emit("gap", gap),
    });
  }

  /**
   * Listens to channels. Resolves once the server has confirmed: whatever is published afterwards is heard.
   *
   * Subscribing to a channel again does not double what `listen()` and `on("message")` hear, as with SUBSCRIBE in Redis.
   * Each subscription is closed on its own: the channel is heard until the last one is closed. A handler of its own hears
   * each message too.
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
   * @throws TypeError or RangeError when a channel can't be, ConfigError when an option can't be.
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
    const requests = channels.map((name): FeedRequest => {
      toWireChannel(name);
      return { kind: "channel", name, replay };
    });
    return this.join(requests, options, after === undefined ? {} : { after });
  }

  /**
   * Listens to all channels that match a glob. A message is heard once for each pattern that matches, as `pattern` says,
   * and once for its channel if that was subscribed to: Redis delivers it so.
   *
   * @throws as `subscribe` does.
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

  /** Ends the subscriptions that name any of these channels; of all channels when none is named. */
  async unsubscribe(...channels: readonly string[]): Promise<void> {
    await this.leave("channel", channels);
  }

  /** Ends the subscriptions that name any of these patterns; of all patterns when none is named. */
  async punsubscribe(...patterns: readonly string[]): Promise<void> {
    await this.leave("pattern", patterns);
  }

  /**
   * The messages of all subscriptions that have no handler of their own, as they come, each once, however many of them
   * name its channel. What comes before the first loop begins,
   * and while its body works, waits within the bounds of `buffer`. It ends with `close()` or the signal.
   *
   * @throws SlowConsumerError in the loop, when `whenFull` is `"disconnect"`.
   */
  listen<Data = unknown>(options: ListenOptions = {}): AsyncIterableIterator<Message<Data>> {
    assertOptions("listen", options, knownListen);
    assertSignal(options.signal);
    this.hearOthers();
    return this.receivers.loop(options.signal) as AsyncIterableIterator<Message<Data>>;
  }

  /** Listens to an event. @returns the function that stops listening. @throws ConfigError when there is no such event. */
  on<Name extends keyof PubSubEvents>(event: Name, listener: (event: PubSubEvents[Name]) => void): () => void {
    const stop = this.events.on(event, listener);
    this.hearOthers();
    if (event !== "message") return stop;
    stop();
    return this.receivers.listen(listener as (message: Message) => void);
  }

  /**
   * Sends a message to all who listen to a channel, as 1 command. With `replay` the channel's history keeps it too, as 2 commands
   * and 1 for all messages of the same tick to that history.
   *
   * @throws TransportError when no answer came. A message whose `delivery` is `"unknown"` may have been published.
   * @throws RangeError when the message is larger than `maxMessageBytes`, CodecError when it can't be written, ConfigError when
   *   an option can't be: nothing was published.
   */
  publish(channel: string, data: unknown, options: PublishOptions = noOptions): Promise<Published> {
    try {
      assertOptions("publish", options, knownPublish);
      const { codec, maxMessageBytes, timeoutMs, transport } = this.settings;
      const wire = toWireChannel(channel);
      const replay = this.replayFor(options);
      const fallback = booleanOption("fallback", options.fallback);
      const asked: SendOptions = callOptions(options, timeoutMs);
      if (this.isClosed) throw closedError(transport.name);
      const text = toMessageText(codec.encode(data));
      // A UTF-16 unit is at most three bytes.
      const bytes = text.length * 3 <= maxMessageBytes ? 0 : new TextEncoder().encode(text).length;
      if (bytes > maxMessageBytes) {
        throw new RangeError(
          `Expected a message for the channel ${JSON.stringify(channel.slice(0, 40))} of at most ${maxMessageBytes} bytes, got ${bytes}; send less, or raise \`maxMessageBytes\``,
        );
      }
      const sendOptions = fallback === undefined ? asked : { ...asked, fallback };
      const publishBy = (publisher: Publisher): Promise<Published> =>
        replay ? publisher.append(wire, text, replay, sendOptions) : publisher.send(wire, text, sendOptions);
      return this.publisher ? publishBy(this.publisher) : this.publishFirst(publishBy);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Ends all subscriptions and loops; so does its transport's end. The transport stays open: it is its owner's. Safe to call twice. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await Promise.all([...this.subscriptions].map((own) => own.close()));
    this.receivers.end();
    this.parts.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Others may have opened the connection of this transport already: its changes and its end are told here too. */
  private hearOthers(): void {
    // A failure to load rejects the next subscription.
    if (!this.isClosed) this.parts.feeds().catch(() => {});
  }

  /** Loads what publishes. Each of those that have waited for it sets it, so that none that comes later overtakes them. */
  private async publishFirst(publishBy: (publisher: Publisher) => Promise<Published>): Promise<Published> {
    this.publisher = await this.parts.publisher();
    return publishBy(this.publisher);
  }

  private replayFor({ replay }: { readonly replay?: boolean | ReplayOptions }): ReplaySettings | undefined {
    return replay === undefined ? this.settings.replay : readReplay(replay);
  }

  private async join<Data>(
    requests: readonly FeedRequest[],
    options: SubscriptionHandlers<Data> & SubscribeCallOptions,
    from: Pick<JoinOptions, "after">,
  ): Promise<ChannelSubscription> {
    functionOption("onMessage", options.onMessage);
    functionOption("onGap", options.onGap);
    const asked = { ...callOptions(options, this.settings.timeoutMs), ...from };
    if (this.isClosed) throw closedError(this.settings.transport.name);
    const joins = await Promise.allSettled(
      requests.map((request) => this.receivers.join(request, options as SubscriptionHandlers<unknown>, asked)),
    );
    const memberships = joins.flatMap((join) => (join.status === "fulfilled" ? [join.value] : []));
    const refused = joins.find((join) => join.status === "rejected");
    if (refused || this.isClosed) {
      for (const membership of memberships) membership.leave();
      throw refused ? refused.reason : closedError(this.settings.transport.name);
    }
    return this.register(requests, memberships);
  }

  private register(requests: readonly FeedRequest[], memberships: readonly Membership[]): ChannelSubscription {
    const names = requests.map(({ name }) => name);
    const named = this.named[requests[0]?.kind ?? "channel"];
    const [only] = memberships.length === 1 ? memberships : [];
    const own: ChannelSubscription = {
      names,
      get position() {
        return only?.position;
      },
      close: async () => {
        if (!this.subscriptions.delete(own)) return;
        for (const name of names) {
          const others = named.get(name);
          if (others?.delete(own) && others.size === 0) named.delete(name);
        }
        for (const membership of memberships) membership.leave();
      },
    };
    this.subscriptions.add(own);
    for (const name of names) named.set(name, (named.get(name) ?? new Set()).add(own));
    return own;
  }

  private async leave(kind: TopicKind, names: readonly string[]): Promise<void> {
    const named = this.named[kind];
    const meant = names.length === 0 ? [...named.values()] : names.map((name) => named.get(name) ?? []);
    await Promise.all(meant.flatMap((some) => [...some]).map((own) => own.close()));
  }
}

type Named = NameMap<Set<ChannelSubscription>>;

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
