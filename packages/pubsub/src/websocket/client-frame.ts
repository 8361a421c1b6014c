import type { Position } from "../types.ts";

/** A frame that a client may send. */
export type ClientFrame =
  | { readonly type: "subscribe"; readonly channel: string; readonly after?: Position | "beginning" }
  | { readonly type: "unsubscribe"; readonly channel: string }
  | { readonly type: "ping" };

/** A frame, or what is wrong with it, as an answer to the client. */
export type ReadFrame =
  | { readonly frame: ClientFrame }
  | { readonly code: "bad-frame" | "frame-too-large"; readonly message: string };

const encoder = new TextEncoder();
const maxTagLength = 200;

/** Reads what a client has sent. Never throws. */
export function readClientFrame(data: unknown, maxBytes: number): ReadFrame {
  if (typeof data !== "string") return bad("Expected a text frame of JSON, got a binary one");
  // A UTF-16 unit is at most three bytes.
  if (data.length > maxBytes || (data.length * 3 > maxBytes && encoder.encode(data).length > maxBytes)) {
    return { code: "frame-too-large", message: `Expected a frame of at most ${maxBytes} bytes` };
  }
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return bad("Expected a text frame of JSON, got something else");
  }
  if (typeof value !== "object" || value === null) return bad('Expected a JSON object such as {"type":"ping"}');
  const { type, channel, after } = value as { type?: unknown; channel?: unknown; after?: unknown };
  if (type === "ping") return { frame: { type } };
  if (type !== "subscribe" && type !== "unsubscribe") {
    return bad('Expected `type` to be "subscribe", "unsubscribe" or "ping"');
  }
  if (typeof channel !== "string") return bad("Expected `channel` to be a string");
  if (type === "unsubscribe") return { frame: { type, channel } };
  if (after === undefined || after === null) return { frame: { type, channel } };
  if (after === "beginning") return { frame: { type, channel, after } };
  const position = readPosition(after);
  if (!position) return bad('Expected `after` to be "beginning" or a position as it came: {"epoch":…,"seq":…,"tag":…}');
  return { frame: { type, channel, after: position } };
}

function readPosition(value: unknown): Position | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { epoch, seq, tag } = value as { epoch?: unknown; seq?: unknown; tag?: unknown };
  // -1 is the number before the first message.
  if (!isCount(epoch, 0) || !isCount(seq, -1)) return undefined;
  if (tag === undefined) return { epoch, seq };
  return typeof tag === "string" && tag.length <= maxTagLength ? { epoch, seq, tag } : undefined;
}

const isCount = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least;

const bad = (message: string): ReadFrame => ({ code: "bad-frame", message });
