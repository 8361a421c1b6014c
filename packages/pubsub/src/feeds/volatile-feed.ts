import type { Message as Heard } from "@continuum-cache/core";
import { fromWireChannel, longestTimerMs } from "@continuum-cache/core/kit";
import { type Frame, readFrame } from "../history/frame.ts";
import type { Hub } from "../hub/hub.ts";
import type { Topic } from "../hub/topic.ts";
import type { Gap, GapReason, Message, Position } from "../types.ts";
import { createInterruption, gapOf } from "./interruption.ts";
import type { Feed, Member } from "./member.ts";
import { createSeenTags } from "./seen-tags.ts";
import { shareAttachment } from "./shared-attachment.ts";

/** What the codec has read. */
export interface Decoded {
  readonly data: unknown;
}

/** What a feed needs. */
export interface FeedParts {
  readonly hub: Hub;
  readonly topic: Topic;
  /** The channel or the pattern, as its users name it. */
  readonly named: Pick<Gap, "channel" | "pattern">;
  /** Reads what was published, once for all feeds that hear it; nothing when it can't be read, which has been told then. */
  readonly decode: (
    channel: string,
    text: string | Uint8Array,
    position: Position | undefined,
    heard?: Heard,
  ) => Decoded | undefined;
  /** Makes the message that is handed out, of the frame in it: one object for all feeds that hear it. */
  readonly toMessage: (heard: Heard, frame: Frame | undefined) => Message | undefined;
}

/** Hands out what is heard, as it is heard, and tells every interruption as a gap. */
export function createVolatileFeed({ hub, topic, named, toMessage }: FeedParts): Feed {
  const members = new Map<Member, { joinedMs: number }>();
  const interruption = createInterruption();
  const seen = createSeenTags();
  const attachment = shareAttachment(topic.name, async (signal) => {
    const attached = await hub.attach(topic, listener, { timeoutMs: longestTimerMs, signal });
    interruption.end(attached.start);
    return attached;
  });

  const tellGap = (reason: GapReason, sinceMs: number, atMs: number, missed?: number): void => {
    const occasion = {};
    for (const [member, { joinedMs }] of [...members]) {
      member.gap(gapOf(named, reason, { sinceMs, atMs, joinedMs }, missed), occasion);
    }
  };

  const listener = {
    message(heard: Heard): void {
      const frame = readFrame(heard);
      if (frame && !seen.isNew(frame.tag)) return;
      const message = toMessage(heard, frame);
      const nowMs = Date.now();
      if (message) for (const member of members.keys()) member.message(message, heard.data.length);
      else tellGap("unreadable", nowMs, nowMs, 1);
    },
    lost: interruption.begin,
    restored(back: { readonly atMs: number; readonly degraded: boolean }): void {
      const sinceMs = interruption.end(back);
      if (sinceMs !== undefined) tellGap("interrupted", sinceMs, back.atMs);
    },
  };

  return {
    close() {},
    takeOver() {},
    async join(member, options) {
      await attachment.take(options);
      const joinedMs = Date.now();
      members.set(member, { joinedMs });
      return {
        position: undefined,
        leave() {
          if (!members.delete(member)) return;
          // Whoever leaves in the middle of an interruption is not to think that nothing is missing.
          const { sinceMs } = interruption;
          if (sinceMs !== undefined) {
            member.gap(gapOf(named, "interrupted", { sinceMs, atMs: Date.now(), joinedMs }), {});
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
  decode: FeedParts["decode"],
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
