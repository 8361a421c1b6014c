import {
  defaultTimeoutMs,
  isOutage,
  type Reply,
  runScript,
  type SendOptions,
  type Transport,
} from "@continuum-cache/core";
import { frameWithoutPlace } from "../history/frame.ts";
import { historyKey } from "../history/history-key.ts";
import { hubsOf } from "../hub/hub.ts";
import type { Position } from "../position.ts";
import type { Published } from "../published.ts";
import type { ReplaySettings } from "../replay-settings.ts";
import { appendScript } from "./append-script.ts";
import { createEpochs } from "./epochs.ts";
import { createTags } from "./tags.ts";

/** Sends what others shall hear. Channels are given as they travel, texts too. */
export interface Publisher {
  /** Heard by those who listen now, at most once. */
  send(channel: string, text: string, options: SendOptions): Promise<Published>;
  /** Kept in the channel's history as well. */
  append(channel: string, text: string, replay: ReplaySettings, options: SendOptions): Promise<Published>;
}

interface Tagged {
  readonly channel: string;
  readonly text: string;
  readonly tag: string;
}

/** Among so many of the latest messages a repeated one is looked for. */
const latestLooked = 256;
/** With less time than this another attempt would tell nothing but that time was up. */
const leastAttemptMs = 10;

export function createPublisher(transport: Transport): Publisher {
  const epochs = createEpochs();
  const nextTag = createTags();

  const isAway = (): boolean => transport.status?.outage !== undefined;

  const publish = async (channel: string, text: string, options: SendOptions): Promise<Published> => {
    const [reply] = await transport.send([["PUBLISH", channel, text]], options);
    if (reply instanceof Error) throw reply;
    return { receivers: Number(reply), ...(isAway() && { degraded: true }) };
  };

  /** @param isRepeated - An earlier attempt may have succeeded: then it counts, and nothing happens again. */
  const appendOnce = async (
    { channel, text, tag }: Tagged,
    { count, ageMs, keyTtlMs }: ReplaySettings,
    options: SendOptions,
    isRepeated: boolean,
  ): Promise<Published> => {
    const known = epochs.of(channel);
    const upkeep = known.takeUpkeep(ageMs / 8) ? 1 : 0;
    const looks = isRepeated ? latestLooked : 0;
    const args = [channel, known.epoch, count, upkeep, ageMs, keyTtlMs, tag, known.serverMs, text, looks];
    // A history of this process alone would count by itself: the primary's, or none.
    const answer = await runScript(transport, appendScript, [historyKey(channel)], args, {
      ...options,
      fallback: false,
    });
    const { position, receivers, serverMs } = readAnswer(answer);
    known.learn(position.epoch, serverMs);
    return { receivers, position: { ...position, tag } };
  };

  /** With the message's own mark: whoever hears it now knows it again if it was kept after all. */
  const deliverHere = ({ channel, text, tag }: Tagged): Published => {
    let receivers = 0;
    for (const hub of hubsOf(transport)) receivers += hub.deliverHere(channel, frameWithoutPlace(tag, text));
    return { receivers, degraded: true };
  };

  return {
    send: publish,
    async append(channel, text, replay, options) {
      const message = { channel, text, tag: nextTag() };
      const endsAt = performance.now() + (options.timeoutMs ?? defaultTimeoutMs);
      const standsIn = transport.status !== undefined && options.fallback !== false;
      const leftMs = (): number => endsAt - performance.now();
      for (let attempt = 0; ; attempt++) {
        if (standsIn && isAway()) return deliverHere(message);
        try {
          // With somebody to stand in, a part of the time is theirs.
          const timeoutMs = Math.max(1, Math.floor(leftMs() * (standsIn ? 0.7 : 1)));
          return await appendOnce(message, replay, { ...options, timeoutMs }, attempt > 0);
        } catch (error) {
          epochs.of(channel).forget();
          if (!isOutage(error)) throw error;
          // Whoever stands in finds out whether the primary is away; if it is not, another attempt finds out what became of this.
          if (standsIn) await transport.send([["PING"]], { timeoutMs: Math.max(1, Math.floor(leftMs())) });
          if (attempt > 0 && !(standsIn && isAway())) throw error;
          if (leftMs() < leastAttemptMs && !isAway()) throw error;
        }
      }
    },
  };
}

function readAnswer(answer: Reply): { position: Position; receivers: number; serverMs: number } {
  const [id, receivers, serverMs] = answer as readonly [string, number, number];
  const [epoch, seq] = id.split("-").map(Number) as [number, number];
  return { position: { epoch, seq }, receivers, serverMs };
}
