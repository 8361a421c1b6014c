import type { Reply, SendOptions, Transport } from "@continuum-cache/core";
import { batched, defaultTimeoutMs, isUnanswered, primaryOf, sharedStreamsOf } from "@continuum-cache/core/kit";
import { historyKey, readEntries } from "../history/entry.ts";
import { frameWithoutPlace } from "../history/frame.ts";
import type { ReplaySettings } from "../settings.ts";
import type { Published } from "../types.ts";
import { createAppender, type Tagged } from "./appender.ts";

/** Publishes messages. Channels and texts are given as they travel. */
export interface Publisher {
  /** Reaches the current subscribers, at most once. */
  send(channel: string, text: string, options: SendOptions): Promise<Published>;
  /** Appends to the channel's history as well. */
  append(channel: string, text: string, replay: ReplaySettings, options: SendOptions): Promise<Published>;
}

/** A message whose reply was lost is looked for among so many of the latest ones. */
const latestLooked = 256;
/** With less time than this, another attempt could only time out. */
const leastAttemptMs = 10;

/** @param here - The transport of the subscribers in this process. Messages of one tick travel together. */
export function createPublisher(here: Transport): Publisher {
  const transport = batched(here);
  /** Histories are the primary's alone: one of this process would count by itself. */
  const primary = batched(primaryOf(here));
  const { append, depart } = createAppender(primary);
  const nextTag = createTags();

  const isAway = (): boolean => transport.status?.outage !== undefined;

  const published = ([reply]: Reply[]): Published => {
    if (reply instanceof Error) throw reply;
    return isAway() ? { receivers: Number(reply), degraded: true } : { receivers: Number(reply) };
  };

  /** Looks for a message whose reply was lost. It is not sent again, since it may still arrive. */
  const find = async ({ channel, tag }: Tagged, options: SendOptions): Promise<Published | undefined> => {
    const latest = ["XREVRANGE", historyKey(channel), "+", "-", "COUNT", latestLooked] as const;
    const [reply] = await primary.send([latest], options);
    const found = readEntries(reply).entries.find(({ position }) => position.tag === tag);
    return found && { receivers: 0, position: found.position };
  };

  /** Keeps the tag of the message: subscribers that get it now recognize it if it was stored after all. */
  const deliverHere = ({ channel, text, tag }: Tagged): Published => {
    let receivers = 0;
    for (const stream of sharedStreamsOf(here)) receivers += stream.deliverHere(channel, frameWithoutPlace(tag, text));
    return { receivers, degraded: true };
  };

  return {
    send(channel, text, options) {
      depart();
      return transport.send([["PUBLISH", channel, text]], options).then(published);
    },
    async append(channel, text, replay, options) {
      const message = { channel, text, tag: nextTag() };
      const standsIn = transport.status !== undefined && options.fallback !== false;
      const { timeoutMs = defaultTimeoutMs } = options;
      const endsAt = performance.now() + timeoutMs;
      /** Where a memory may stand in, the primary gets a part of the time. */
      const within = (ms: number, share: number): SendOptions => ({
        ...options,
        timeoutMs: Math.max(1, Math.floor(standsIn ? ms * share : ms)),
      });
      const leftMs = (): number => endsAt - performance.now();
      if (standsIn && isAway()) return deliverHere(message);
      try {
        return await append(message, replay, within(timeoutMs, 0.6));
      } catch (error) {
        if (!isUnanswered(error) || leftMs() < leastAttemptMs) throw error;
        // A PING through the fallback makes it notice the outage.
        if (standsIn) await transport.send([["PING"]], within(leftMs(), 0.8));
        if (standsIn && isAway()) return deliverHere(message);
        if (error.delivery === "none") return append(message, replay, within(leftMs(), 1));
        const found = await find(message, within(leftMs(), 1)).catch(() => undefined);
        if (found) return found;
        throw error;
      }
    },
  };
}

/** Makes tags that no other message has: a random mark of this process, and a count. */
function createTags(): () => string {
  const random = crypto.getRandomValues(new Uint32Array(2));
  const own = [...random].map((part) => part.toString(36)).join("");
  let count = 0;
  return () => `${own}-${(count++).toString(36)}`;
}
