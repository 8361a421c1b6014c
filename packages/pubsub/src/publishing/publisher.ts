import type { Reply, SendOptions, Transport } from "@continuum-cache/core";
import { batched, defaultTimeoutMs, isUnanswered, primaryOf } from "@continuum-cache/core/kit";
import { readEntries } from "../history/entry.ts";
import { frameWithoutPlace } from "../history/frame.ts";
import { historyKey } from "../history/history-key.ts";
import { hubsOf } from "../hub/hub.ts";
import type { ReplaySettings } from "../settings.ts";
import type { Published } from "../types.ts";
import { createAppender, type Tagged } from "./appender.ts";
import { createTags } from "./tags.ts";

/** Sends what others shall hear. Channels are given as they travel, texts too. */
export interface Publisher {
  /** Heard by those who listen now, at most once. */
  send(channel: string, text: string, options: SendOptions): Promise<Published>;
  /** Kept in the channel's history as well. */
  append(channel: string, text: string, replay: ReplaySettings, options: SendOptions): Promise<Published>;
}

/** Among so many of the latest messages one is looked for whose answer was lost. */
const latestLooked = 256;
/** With less time than this another attempt would tell nothing but that time was up. */
const leastAttemptMs = 10;

/** @param here - The transport through which this process listens too. What is published in one tick travels together. */
export function createPublisher(here: Transport): Publisher {
  const transport = batched(here);
  /** A history of this process alone would count by itself: the primary's, or none. */
  const primary = batched(primaryOf(here));
  const { append, depart } = createAppender(primary);
  const nextTag = createTags();

  const isAway = (): boolean => transport.status?.outage !== undefined;

  const published = ([reply]: Reply[]): Published => {
    if (reply instanceof Error) throw reply;
    return isAway() ? { receivers: Number(reply), degraded: true } : { receivers: Number(reply) };
  };

  /** Looks whether a message whose answer was lost is among the latest: it may still come, so it is not sent again. */
  const find = async ({ channel, tag }: Tagged, options: SendOptions): Promise<Published | undefined> => {
    const latest = ["XREVRANGE", historyKey(channel), "+", "-", "COUNT", latestLooked] as const;
    const [reply] = await primary.send([latest], options);
    const found = readEntries(reply).entries.find(({ position }) => position.tag === tag);
    return found && { receivers: 0, position: found.position };
  };

  /** With the message's own mark: whoever hears it now knows it again if it was kept after all. */
  const deliverHere = ({ channel, text, tag }: Tagged): Published => {
    let receivers = 0;
    for (const hub of hubsOf(here)) receivers += hub.deliverHere(channel, frameWithoutPlace(tag, text));
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
      /** With somebody to stand in, a part of the time is theirs. */
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
        // Whoever stands in finds out whether the primary is away.
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
