import { toTextForm } from "@continuum-cache/core/kit";
import type { Message, Position } from "../types.ts";
import type { GapFrame } from "./server-frame.ts";

/** A message as text, written once for all clients. */
export interface MessageFrame {
  readonly text: string;
  /** UTF-8. */
  readonly bytes: number;
  readonly position: Position | undefined;
}

const encoder = new TextEncoder();

/** Writes a message as JSON. A message that is too long, or that JSON can't express, becomes a gap of one. */
export function writeMessage(message: Message, maxBytes: number): MessageFrame {
  const { channel, position } = message;
  const text = messageText(message);
  if (text === undefined) return gapOfOne(channel, position, "unsendable");
  const bytes = encoder.encode(text).length;
  if (bytes > maxBytes) return gapOfOne(channel, position, "too-large");
  return { text, bytes, position };
}

function messageText({ channel, data, position, degraded }: Message): string | undefined {
  // `toTextForm` puts a mark before the base64.
  const content =
    data instanceof Uint8Array ? { data: toTextForm(data).slice(1), encoding: "base64" } : { data: data ?? null };
  try {
    return JSON.stringify({ type: "message", channel, ...content, position, degraded });
  } catch {
    // A codec may have decoded a value that JSON can't express: a BigInt, an object within itself.
    return undefined;
  }
}

function gapOfOne(channel: string, position: Position | undefined, reason: "too-large" | "unsendable"): MessageFrame {
  const now = new Date().toISOString();
  const frame: GapFrame = { type: "gap", channel, from: now, to: now, missed: 1, reason };
  const text = JSON.stringify(frame);
  return { text, bytes: encoder.encode(text).length, position };
}
