import { createRandom } from "@continuum-cache/conformance/servers";
import type { MessageId } from "./record.ts";

/** What is published here is to be in the way, and nobody counts it. */
export const fillerChannel = "filler";

/** What a message says: which one it is, when its call began, and something that must arrive as it was. */
export interface MessageData extends MessageId {
  readonly startMs: number;
  readonly text: string;
}

const alphabet = ["a", "é", "猫", "🐈", "\n", ",", "/", "%", '"', "\\", "\u0000", " data: x\n\n"];

/** Mostly short, sometimes kilobytes, seldom tens of them; a function of the message's name. */
export function textOf({ publisher, number }: MessageId): string {
  const random = createRandom(number, ...Array.from(publisher, (letter) => letter.charCodeAt(0)));
  const kind = random.next();
  const length = kind < 0.9 ? random.between(0, 60) : kind < 0.99 ? random.between(100, 3_000) : 30_000;
  const some = Array.from({ length: Math.min(length, 60) }, () => random.pick(alphabet)).join("");
  return some + "x".repeat(Math.max(0, length - 60));
}

/** The message that this is, and whether all of it arrived; nothing when it is none of ours. */
export function readData(data: unknown): { readonly data: MessageData; readonly isWhole: boolean } | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const said = data as Partial<MessageData>;
  const { publisher, number, startMs, text } = said;
  if (typeof publisher !== "string" || typeof number !== "number") return undefined;
  return {
    data: { publisher, number, startMs: startMs ?? 0, text: text ?? "" },
    isWhole: typeof startMs === "number" && text === textOf({ publisher, number }),
  };
}
