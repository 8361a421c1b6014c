import type { Argument, Clock, Command, Message, TransportError } from "@continuum-cache/core";
import { textOrBytes } from "@continuum-cache/core/kit";

/**
 * Deduplicates messages whose PUBLISH got no answer from the primary and was repeated on the local memory. A merged
 * subscription may hear such a message from both sides, in either order; its listener gets it once.
 *
 * Messages with the same channel and the same bytes count as the same. Messages that scripts publish are not tracked.
 */
export interface UnconfirmedPublishes {
  /** How many merged subscriptions are open. While there are none, no message is tracked. */
  readonly listeners: number;
  /**
   * Call when a trip leaves for the primary.
   *
   * @returns what to call when its caller has an answer; `undefined`: nothing.
   */
  track(trip: readonly Command[]): (() => void) | undefined;
  /** Runs `work`, which publishes the messages of this trip locally before it returns. */
  publishLocally<Result>(trip: readonly Command[], delivery: TransportError["delivery"], work: () => Result): Result;
  /** The primary is back: messages that it still holds arrive soon, or never. */
  primaryReturned(): void;
  /** For a merged subscription that opens. */
  addListener(): DedupListener;
}

/** The messages that one merged subscription has heard. Each method says whether to pass a message on. */
export interface DedupListener {
  acceptsFromPrimary(message: Message): boolean;
  acceptsLocal(message: Message): boolean;
  close(): void;
}

/** A message of a tracked PUBLISH. */
interface Published {
  readonly channel: string;
  readonly data: string | Uint8Array;
  /** `in flight` at the primary → `answered` by it; or → `publishing` locally → `published` locally. */
  state: "in flight" | "answered" | "publishing" | "published";
  /** When the primary can't deliver it any more. */
  endsMs: number;
  /**
   * The latest place where it was heard. Most messages are heard once, so this is a list and not a map: a map would
   * cost more.
   */
  heard: Heard | undefined;
}

/** Where one listener heard a message, by listener and topic. */
interface Heard {
  readonly topic: string;
  where: "primary" | "local" | "both";
  readonly before: Heard | undefined;
}

/** A primary that delays a command longer than this has lost the connection before. */
const rememberedMs = 30_000;
/** How much later than the answer to its PUBLISH a message may arrive, on another connection. */
const graceMs = 1_000;
/** The most messages that are remembered; then the oldest are dropped. */
const maxRemembered = 1_000;

export function createUnconfirmedPublishes(clock: Clock): UnconfirmedPublishes {
  return new TrackedPublishes(clock);
}

class TrackedPublishes implements UnconfirmedPublishes {
  listeners = 0;
  readonly #clock: Clock;
  readonly #messages = new RecentMessages();
  readonly #trips = new Map<readonly Command[], Published[]>();
  #listenersEver = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  track(trip: readonly Command[]): (() => void) | undefined {
    if (this.listeners === 0) return undefined;
    const published = publishedBy(trip);
    if (published.length === 0) return undefined;
    for (const one of published) this.#messages.add(one);
    // The same array of commands may be sent twice.
    const before = this.#trips.get(trip);
    this.#trips.set(trip, before ? [...before, ...published] : published);
    return () => this.#answered(trip);
  }

  publishLocally<Result>(trip: readonly Command[], delivery: TransportError["delivery"], work: () => Result): Result {
    const published = this.#take(trip);
    if (delivery === "none") for (const one of published) this.#messages.drop(one);
    if (delivery === "none" || published.length === 0) return work();
    const endsMs = this.#clock.now() + rememberedMs;
    for (const one of published) this.#messages.unconfirmed.add(Object.assign(one, { state: "publishing", endsMs }));
    this.#messages.dropOld(this.#clock.now());
    const result = work();
    // Runs after the messages, each of which is delivered in a microtask.
    queueMicrotask(() => {
      for (const one of published) one.state = "published";
    });
    return result;
  }

  primaryReturned(): void {
    const endsMs = this.#clock.now() + graceMs;
    for (const one of this.#messages.unconfirmed) one.endsMs = Math.min(one.endsMs, endsMs);
  }

  addListener(): DedupListener {
    this.listeners++;
    return new OpenListener(this.#messages, this.#listenersEver++, this.#clock, () => {
      this.listeners--;
      if (this.listeners > 0) return;
      this.#messages.clear();
      this.#trips.clear();
    });
  }

  #answered(trip: readonly Command[]): void {
    const endsMs = this.#clock.now() + graceMs;
    for (const one of this.#take(trip)) {
      if (this.#messages.unconfirmed.size === 0) this.#messages.drop(one);
      // Kept, so that its message is not taken for an unconfirmed one with the same bytes.
      else this.#messages.answered.add(Object.assign(one, { state: "answered", endsMs }));
    }
  }

  #take(trip: readonly Command[]): readonly Published[] {
    const published = this.#trips.get(trip) ?? [];
    this.#trips.delete(trip);
    return published;
  }
}

/** The tracked messages, found by what they hold. */
class RecentMessages {
  readonly unconfirmed = new Set<Published>();
  readonly answered = new Set<Published>();
  /** Messages by their text, or by the length of their bytes. Usually each group is one message. */
  readonly #groups = new Map<string | number, Published | Set<Published>>();

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  add(one: Published): void {
    const id = groupOf(one);
    const group = this.#groups.get(id);
    if (group instanceof Set) group.add(one);
    else this.#groups.set(id, group ? new Set([group, one]) : one);
  }

  drop(one: Published): void {
    const id = groupOf(one);
    const group = this.#groups.get(id);
    if (group instanceof Set) group.delete(one);
    if (group === one || (group instanceof Set && group.size === 0)) this.#groups.delete(id);
    this.unconfirmed.delete(one);
    this.answered.delete(one);
  }

  dropOld(nowMs: number): void {
    for (const group of [this.unconfirmed, this.answered]) {
      for (const one of group) if (one.endsMs <= nowMs || group.size > maxRemembered) this.drop(one);
    }
  }

  find(message: Message, test: (one: Published) => boolean): Published | undefined {
    const group = this.#groups.get(groupOf(message));
    for (const one of group instanceof Set ? group : [group]) if (one && test(one) && isSame(one, message)) return one;
    return undefined;
  }

  clear(): void {
    for (const each of [this.#groups, this.unconfirmed, this.answered]) each.clear();
  }
}

class OpenListener implements DedupListener {
  readonly #messages: RecentMessages;
  readonly #clock: Clock;
  /** What the topics of this listener begin with. */
  readonly #prefix: string;
  readonly close: () => void;

  constructor(messages: RecentMessages, number: number, clock: Clock, close: () => void) {
    this.#messages = messages;
    this.#prefix = `${number} `;
    this.#clock = clock;
    this.close = close;
  }

  acceptsFromPrimary(message: Message): boolean {
    if (this.#messages.isEmpty) return true;
    const topic = this.#topicOf(message);
    const isAwaited = (one: Published): boolean =>
      (one.state === "in flight" || one.state === "answered") && !heardAs(one, topic);
    const sent = this.#messages.find(message, isAwaited);
    if (sent) {
      sent.heard = { topic, where: "primary", before: sent.heard };
      return true;
    }
    this.#messages.dropOld(this.#clock.now());
    return !this.#isRepeated(message, topic, (one) => heardAs(one, topic)?.where === "local");
  }

  acceptsLocal(message: Message): boolean {
    if (this.#messages.unconfirmed.size === 0) return true;
    const topic = this.#topicOf(message);
    const isPublishing = (one: Published, where: Heard["where"] | undefined): boolean =>
      one.state === "publishing" && heardAs(one, topic)?.where === where;
    if (this.#isRepeated(message, topic, (one) => isPublishing(one, "primary"))) return false;
    const published = this.#messages.find(message, (one) => isPublishing(one, undefined));
    if (published) published.heard = { topic, where: "local", before: published.heard };
    return true;
  }

  /** Whether this listener heard the message before, from the other side. */
  #isRepeated(message: Message, topic: string, test: (one: Published) => boolean): boolean {
    const one = this.#messages.find(message, test);
    const heard = one && heardAs(one, topic);
    if (heard) heard.where = "both";
    return heard !== undefined;
  }

  #topicOf({ pattern }: Message): string {
    return pattern === undefined ? this.#prefix : this.#prefix + pattern;
  }
}

function publishedBy(trip: readonly Command[]): Published[] {
  const published: Published[] = [];
  for (const [name, channel, data] of trip) {
    if (channel === undefined || data === undefined || name.toUpperCase() !== "PUBLISH") continue;
    published.push({
      channel: String(asReceived(channel)),
      data: asReceived(data),
      state: "in flight",
      endsMs: 0,
      heard: undefined,
    });
  }
  return published;
}

/** Messages of different groups are different. */
const groupOf = ({ data }: Pick<Message, "data">): string | number => (typeof data === "string" ? data : data.length);

function heardAs({ heard }: Published, topic: string): Heard | undefined {
  for (let each = heard; each; each = each.before) if (each.topic === topic) return each;
  return undefined;
}

function isSame(a: Published, b: Message): boolean {
  if (a.channel !== b.channel) return false;
  if (typeof a.data === "string" || typeof b.data === "string") return a.data === b.data;
  const bytes = b.data;
  return a.data.every((byte, at) => byte === bytes[at]);
}

const asReceived = (argument: Argument): string | Uint8Array =>
  argument instanceof Uint8Array ? textOrBytes(argument) : String(argument);
