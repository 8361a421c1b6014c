import { textOf } from "../checking/text.ts";
import { type MessageId, nameOf } from "./record.ts";

/** What a message says: which one it is, when its call began, and something that must arrive as it was. */
export interface MessageData extends MessageId {
  readonly startMs: number;
  readonly text: string;
}

/** Some messages are so long. */
const longest = 30_000;

export const messageText = (id: MessageId): string => textOf(nameOf(id), longest);

/** The message that this is, and whether all of it arrived; nothing when it is none of ours. */
export function readData(data: unknown): { readonly data: MessageData; readonly isWhole: boolean } | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const said = data as Partial<MessageData>;
  const { publisher, number, startMs, text } = said;
  if (typeof publisher !== "string" || typeof number !== "number") return undefined;
  return {
    data: { publisher, number, startMs: startMs ?? 0, text: text ?? "" },
    isWhole: typeof startMs === "number" && text === messageText({ publisher, number }),
  };
}
