import type { Argument, Clock, Command, Message } from "@continuum-cache/core";
import { textOrBytes } from "@continuum-cache/core/kit";
import type { Fate } from "../journal/noting.ts";

/**
 * Messages of which nobody knows whether the primary has them: their PUBLISH was left without an answer, and done here
 * in its stead. Who listens to both sides may hear them from both, in either order, and is told once.
 *
 * Only what has the same channel and the same bytes is taken for the same. What scripts publish is not looked at.
 */
export interface DoubtfulMessages {
  /** How many listen to both sides. While there are none, no message is looked at. */
  readonly hearers: number;
  /** A trip leaves for the primary. @returns what to call when its caller has an answer; undefined: nothing. */
  follow(trip: readonly Command[]): (() => void) | undefined;
  /** It is done here instead, by this work, which publishes before it returns. */
  doHere<Result>(trip: readonly Command[], fate: Fate, work: () => Result): Result;
  /** The primary is back: what it has kept until now it brings soon, or never. */
  returned(): void;
  /** Someone who listens to both sides. */
  addHearer(): Hearer;
}

/** Whether to tell somebody what was heard. */
export interface Hearer {
  heardOfPrimary(message: Message): boolean;
  heardHere(message: Message): boolean;
  end(): void;
}

interface Published {
  readonly channel: string;
  readonly data: string | Uint8Array;
  state: "under way" | "answered" | "being told" | "told";
  /** When the primary won't bring it any more. */
  endsMs: number;
  /** Where it was heard last. Mostly it is heard once: a map for each message would be most of what a message costs. */
  heard: Heard | undefined;
}

/** Where a message was heard, by hearer and topic. */
interface Heard {
  readonly topic: string;
  where: "of primary" | "here" | "both";
  readonly before: Heard | undefined;
}

/** A primary that keeps a command for so long before it does it has lost the connection before. */
const rememberedMs = 30_000;
/** A message may come so much later than the answer to its PUBLISH, or to others, on another connection. */
const graceMs = 1_000;
/** So many at the most; then the oldest are forgotten. */
const maxRemembered = 1_000;

export function createDoubtfulMessages(clock: Clock): DoubtfulMessages {
  /** Messages by their data, or by the length of their bytes: those that differ in this are different. Mostly it is one. */
  const alike = new Map<string | number, Published | Set<Published>>();
  const trips = new Map<readonly Command[], Published[]>();
  const doubtful = new Set<Published>();
  const answered = new Set<Published>();
  let hearersEver = 0;

  const add = (one: Published): void => {
    const likeness = likenessOf(one);
    const group = alike.get(likeness);
    if (group instanceof Set) group.add(one);
    else alike.set(likeness, group ? new Set([group, one]) : one);
  };
  const drop = (one: Published): void => {
    const likeness = likenessOf(one);
    const group = alike.get(likeness);
    if (group instanceof Set) group.delete(one);
    if (group === one || (group instanceof Set && group.size === 0)) alike.delete(likeness);
    doubtful.delete(one);
    answered.delete(one);
  };

  const take = (trip: readonly Command[]): readonly Published[] => {
    const published = trips.get(trip) ?? [];
    trips.delete(trip);
    return published;
  };

  const forgetOld = (): void => {
    for (const group of [doubtful, answered]) {
      for (const one of group) if (one.endsMs <= clock.now() || group.size > maxRemembered) drop(one);
    }
  };

  const find = (message: Message, isIt: (one: Published) => boolean): Published | undefined => {
    const group = alike.get(likenessOf(message));
    for (const one of group instanceof Set ? group : [group]) if (one && isIt(one) && isSame(one, message)) return one;
    return undefined;
  };

  /** Whether it was heard before, on the other side. */
  const isRepeated = (message: Message, topic: string, isIt: (one: Published) => boolean): boolean => {
    const one = find(message, isIt);
    const heard = one && heardAs(one, topic);
    if (heard) heard.where = "both";
    return heard !== undefined;
  };

  const messages: { hearers: number } & DoubtfulMessages = {
    hearers: 0,
    follow(trip) {
      if (messages.hearers === 0) return undefined;
      const published = publishedBy(trip);
      if (published.length === 0) return undefined;
      for (const one of published) add(one);
      // The very same list may be sent twice.
      const before = trips.get(trip);
      trips.set(trip, before ? [...before, ...published] : published);
      return () => {
        const endsMs = clock.now() + graceMs;
        for (const one of take(trip)) {
          if (doubtful.size === 0) drop(one);
          // Its message must not be taken for one that is like it and in doubt.
          else answered.add(Object.assign(one, { state: "answered", endsMs }));
        }
      };
    },
    doHere(trip, fate, work) {
      const published = take(trip);
      if (fate === "none") for (const one of published) drop(one);
      if (fate === "none" || published.length === 0) return work();
      const endsMs = clock.now() + rememberedMs;
      for (const one of published) doubtful.add(Object.assign(one, { state: "being told", endsMs }));
      forgetOld();
      const result = work();
      // Behind the messages, each of which is told in a microtask.
      queueMicrotask(() => {
        for (const one of published) one.state = "told";
      });
      return result;
    },
    returned() {
      for (const one of doubtful) one.endsMs = Math.min(one.endsMs, clock.now() + graceMs);
    },
    addHearer() {
      messages.hearers++;
      const own = hearersEver++;
      const ofChannel = `${own} `;
      const topicOf = ({ pattern }: Message): string => (pattern === undefined ? ofChannel : ofChannel + pattern);
      return {
        heardOfPrimary(message) {
          if (alike.size === 0) return true;
          const topic = topicOf(message);
          const isAwaited = (one: Published): boolean =>
            (one.state === "under way" || one.state === "answered") && !heardAs(one, topic);
          const sent = find(message, isAwaited);
          if (sent) {
            sent.heard = { topic, where: "of primary", before: sent.heard };
            return true;
          }
          forgetOld();
          return !isRepeated(message, topic, (one) => heardAs(one, topic)?.where === "here");
        },
        heardHere(message) {
          if (doubtful.size === 0) return true;
          const topic = topicOf(message);
          const isTold = (one: Published, where: Heard["where"] | undefined): boolean =>
            one.state === "being told" && heardAs(one, topic)?.where === where;
          if (isRepeated(message, topic, (one) => isTold(one, "of primary"))) return false;
          const told = find(message, (one) => isTold(one, undefined));
          if (told) told.heard = { topic, where: "here", before: told.heard };
          return true;
        },
        end() {
          messages.hearers--;
          if (messages.hearers > 0) return;
          for (const group of [alike, trips, doubtful, answered]) group.clear();
        },
      };
    },
  };
  return messages;
}

function publishedBy(trip: readonly Command[]): Published[] {
  const published: Published[] = [];
  for (const [name, channel, data] of trip) {
    if (channel === undefined || data === undefined || name.toUpperCase() !== "PUBLISH") continue;
    published.push({
      channel: String(asHeard(channel)),
      data: asHeard(data),
      state: "under way",
      endsMs: 0,
      heard: undefined,
    });
  }
  return published;
}

const likenessOf = ({ data }: Pick<Message, "data">): string | number =>
  typeof data === "string" ? data : data.length;

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

const asHeard = (argument: Argument): string | Uint8Array =>
  argument instanceof Uint8Array ? textOrBytes(argument) : String(argument);
