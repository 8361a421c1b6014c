import type { Message as Heard } from "@continuum-cache/core";
import { fromWireChannel, longestTimerMs, type SharedStream, type Topic } from "@continuum-cache/core/kit";
import { type Frame, readFrame } from "../history/frame.ts";
import type { Gap, GapReason, Message, Position } from "../types.ts";
import { createDedupeSet } from "./dedupe-set.ts";
import { createGapTracker, gapOf } from "./gap-tracker.ts";
import { shareAttachment } from "./shared-attachment.ts";
import type { ChannelSource, Subscriber } from "./subscriber.ts";

/** A value that the codec has read. */
export interface Decoded {
  readonly data: unknown;
}

/** What a source is made of. */
export interface SourceParts {
  readonly stream: SharedStream;
  readonly topic: Topic;
  /** The channel or the pattern, as its users name it. */
  readonly named: Pick<Gap, "channel" | "pattern">;
  /**
   * Decodes a message, once for all sources that hear it. Returns `undefined` when it can't be decoded, which is then
   * already reported.
   */
  readonly decode: (
    channel: string,
    text: string | Uint8Array,
    position: Position | undefined,
    heard?: Heard,
  ) => Decoded | undefined;
  /** Makes the message for subscribers from its frame: one object for all sources that hear it. */
  readonly toMessage: (heard: Heard, frame: Frame | undefined) => Message | undefined;
}

/** Delivers messages as they are heard, and reports each interruption as a gap. */
export function createVolatileSource({ stream, topic, named, toMessage }: SourceParts): ChannelSource {
  const subscribers = new Map<Subscriber, { joinedMs: number }>();
  const gaps = createGapTracker();
  const seen = createDedupeSet();
  const attachment = shareAttachment(topic.name, async (signal) => {
    const attached = await stream.attach(topic, listener, { timeoutMs: longestTimerMs, signal });
    gaps.end(attached.start);
    return attached;
  });

  const reportGap = (reason: GapReason, sinceMs: number, atMs: number, missed?: number): void => {
    const occasion = {};
    for (const [subscriber, { joinedMs }] of [...subscribers]) {
      subscriber.gap(gapOf(named, reason, { sinceMs, atMs, joinedMs }, missed), occasion);
    }
  };

  const listener = {
    message(heard: Heard): void {
      const frame = readFrame(heard);
      if (frame && !seen.isNew(frame.tag)) return;
      const message = toMessage(heard, frame);
      const nowMs = Date.now();
      if (message) for (const subscriber of subscribers.keys()) subscriber.message(message, heard.data.length);
      else reportGap("unreadable", nowMs, nowMs, 1);
    },
    lost: gaps.begin,
    restored(back: { readonly atMs: number; readonly degraded: boolean }): void {
      const sinceMs = gaps.end(back);
      if (sinceMs !== undefined) reportGap("interrupted", sinceMs, back.atMs);
    },
  };

  return {
    close() {},
    takeOver() {},
    async join(subscriber, options) {
      await attachment.take(options);
      const joinedMs = Date.now();
      subscribers.set(subscriber, { joinedMs });
      return {
        position: undefined,
        leave() {
          if (!subscribers.delete(subscriber)) return;
          // A subscriber that leaves during an interruption must know that messages may be missing.
          const { sinceMs } = gaps;
          if (sinceMs !== undefined) {
            subscriber.gap(gapOf(named, "interrupted", { sinceMs, atMs: Date.now(), joinedMs }), {});
          }
          attachment.giveBack();
        },
      };
    },
  };
}

/** A message as it is handed out; what belongs to a history says where. */
export function readMessage(
  heard: Heard,
  frame: Frame | undefined,
  decode: SourceParts["decode"],
  pattern: string | undefined,
): Message | undefined {
  const channel = fromWireChannel(heard.channel);
  const decoded = decode(channel, frame?.text ?? heard.data, frame?.position, heard);
  if (!decoded) return undefined;
  return {
    channel,
    ...(pattern !== undefined && { pattern }),
    data: decoded.data,
    ...(frame?.position && { position: frame.position }),
    ...(heard.degraded && { degraded: true }),
  };
}
