import { isOutage, type Reply, runScript, type SendOptions, type Transport } from "@continuum-cache/core";
import { frameWithoutPlace } from "../history/frame.ts";
import { historyKey } from "../history/history-key.ts";
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

export function createPublisher(transport: Transport): Publisher {
  const epochs = createEpochs();
  const nextTag = createTags();

  const isAway = (): boolean => transport.status?.outage !== undefined;

  const publish = async (channel: string, text: string, options: SendOptions): Promise<Published> => {
    const [reply] = await transport.send([["PUBLISH", channel, text]], options);
    if (reply instanceof Error) throw reply;
    return { receivers: Number(reply), ...(isAway() && { degraded: true }) };
  };

  return {
    send: publish,
    async append(channel, text, replay, options) {
      const tag = nextTag();
      const known = epochs.of(channel);
      const upkeep = known.takeUpkeep(replay.ageMs / 8);
      const { count, ageMs, keyTtlMs } = replay;
      const args = [channel, known.epoch, count, upkeep ? 1 : 0, ageMs, keyTtlMs, tag, known.serverMs, text];
      try {
        // A history of this process alone would count by itself: the primary's, or none.
        const primary = { ...options, fallback: false };
        const answer = await runScript(transport, appendScript, [historyKey(channel)], args, primary);
        const { position, receivers, serverMs } = readAnswer(answer);
        known.learn(position.epoch, serverMs);
        return { receivers, position: { ...position, tag } };
      } catch (error) {
        known.forget();
        const standsIn = transport.status !== undefined && options.fallback !== false && isOutage(error);
        if (!standsIn) throw error;
        // With the same mark: whoever hears it now knows it again if it was kept after all.
        return publish(channel, frameWithoutPlace(tag, text), options);
      }
    },
  };
}

function readAnswer(answer: Reply): { position: Position; receivers: number; serverMs: number } {
  const [id, receivers, serverMs] = answer as readonly [string, number, number];
  const [epoch, seq] = id.split("-").map(Number) as [number, number];
  return { position: { epoch, seq }, receivers, serverMs };
}
