import type { Message } from "@continuum-cache/core";
import type { Slot } from "./replies.ts";

const [message, patternMessage] = [
  Buffer.from("*3\r\n$7\r\nmessage\r\n"),
  Buffer.from("*4\r\n$8\r\npmessage\r\n"),
] as const;

/** Whether a message begins there, as far as the chunk tells. */
export const isMessage = (chunk: Buffer, at: number): boolean =>
  startsWith(chunk, at, message) || startsWith(chunk, at, patternMessage);

function startsWith(chunk: Buffer, at: number, beginning: Buffer): boolean {
  for (let byte = 0; byte < beginning.length; byte++) if (chunk[at + byte] !== beginning[byte]) return false;
  return true;
}

/** The message that a reply is: its kind, the pattern if there is one, the channel and the payload. */
export function toMessage(reply: Slot): Message | undefined {
  const parts = reply as readonly Slot[];
  const data = parts[parts.length - 1];
  const channel = toName(parts[parts.length - 2]);
  if (channel === undefined || !(typeof data === "string" || data instanceof Uint8Array)) return undefined;
  if (parts.length === 3) return { channel, data };
  const pattern = toName(parts[1]);
  return pattern === undefined ? undefined : { channel, pattern, data };
}

/** Names are text: what is no UTF-8 in them is replaced. */
function toName(part: Slot | undefined): string | undefined {
  if (typeof part === "string") return part;
  return part instanceof Uint8Array ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(part) : undefined;
}
