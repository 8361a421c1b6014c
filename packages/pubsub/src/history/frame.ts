import type { Message as Heard } from "@continuum-cache/core";
import type { Position } from "../types.ts";

/** A message of a replay channel as it is published: its position and tag, then the text that the codec has written. */
export interface Frame {
  /** Absent when no history has it: the primary was away. */
  readonly position?: Required<Position>;
  readonly tag: string;
  readonly text: string;
  /** The message that carried it. */
  readonly heard: Heard;
}

/**
 * What precedes the text: `~`, the id of the history's entry, the tag. No codec's text begins with `~` (see
 * `toMessageText`), so subscribers without replay can tell the two apart.
 */
const head = /^~(\d{1,16})-(\d{1,16}):([\w-]{1,40}):/;

/** The frame in a message, or `undefined` when it was published without a history. */
export function readFrame(heard: Heard): Frame | undefined {
  const { data } = heard;
  if (typeof data !== "string" || data[0] !== "~") return undefined;
  const match = head.exec(data);
  if (!match) return undefined;
  const [whole, epoch, seq, tag = ""] = match;
  const text = data.slice(whole.length);
  if (epoch === "0") return { tag, text, heard };
  const position = { epoch: Number(epoch), seq: Number(seq), tag };
  return Number.isSafeInteger(position.epoch) && Number.isSafeInteger(position.seq)
    ? { position, tag, text, heard }
    : undefined;
}

/** A frame that is in no history. */
export function frameWithoutPlace(tag: string, text: string): string {
  return `~0-0:${tag}:${text}`;
}
