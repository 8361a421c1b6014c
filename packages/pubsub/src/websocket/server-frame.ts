import type { GapReason, Position } from "../types.ts";

/** Why messages of a channel did not reach a client, or may not have reached it. */
export type FrameGapReason =
  | GapReason
  /** One message was longer than `maxMessageBytes` once written as a frame. */
  | "too-large"
  /** One message can't be written as JSON. */
  | "unsendable";

/** What was wrong with what a client sent, or why it doesn't get what it asked for. */
export type FrameErrorCode =
  /** No JSON text of a frame that a client may send. */
  | "bad-frame"
  /** A frame over `maxFrameBytes`. */
  | "frame-too-large"
  /** No name of a channel, or one over `maxChannelBytes`. */
  | "bad-channel"
  /** The channel is not for this client, or not any more. */
  | "forbidden"
  /** It listens to this channel already, and still does. */
  | "already-subscribed"
  /** It listens to as many channels as it may. */
  | "too-many-channels"
  /** It subscribes more often than it may: worth another try later. */
  | "too-fast"
  /** `after` was asked for, and this channel keeps no history. */
  | "no-history"
  /** The channel can't be listened to at present, or not any more: worth another try later. */
  | "unavailable";

/** What a bridge says to a client, besides messages. Each is one JSON text. */
export type ControlFrame =
  | { readonly type: "subscribed"; readonly channel: string; readonly position?: Position | undefined }
  | { readonly type: "unsubscribed"; readonly channel: string }
  | GapFrame
  | { readonly type: "error"; readonly code: FrameErrorCode; readonly message: string; readonly channel?: string }
  | { readonly type: "pong" };

/** Tells a client what it did not get, or may not have got. */
export interface GapFrame {
  readonly type: "gap";
  readonly channel: string;
  /** ISO 8601. */
  readonly from: string;
  /** ISO 8601. */
  readonly to: string;
  /** How many messages are missing, exactly; absent where it can't be known. */
  readonly missed?: number | undefined;
  readonly reason: FrameGapReason;
}
