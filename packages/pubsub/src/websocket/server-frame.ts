import type { GapReason, Position } from "../types.ts";

/** Why messages of a channel did not reach a client, or may not have reached it. */
export type FrameGapReason =
  | GapReason
  /** One message was longer than `maxMessageBytes` once written as a frame. */
  | "too-large"
  /** One message can't be written as JSON. */
  | "unsendable";

/** What was wrong with a client's frame, or why a request was refused. */
export type FrameErrorCode =
  /** Not the JSON text of a frame that a client may send. */
  | "bad-frame"
  /** A frame over `maxFrameBytes`. */
  | "frame-too-large"
  /** Not the name of a channel, or one over `maxChannelBytes`. */
  | "bad-channel"
  /** The channel is not for this client, or not any more. */
  | "forbidden"
  /** The client has a subscription to this channel, which goes on. */
  | "already-subscribed"
  /** The client has as many channels as it may have. */
  | "too-many-channels"
  /** The client subscribes more often than it may. It may try again later. */
  | "too-fast"
  /** The client asked for `after`, and this channel keeps no history. */
  | "no-history"
  /** The channel can't be listened to now. The client may try again later. */
  | "unavailable";

/** Frames of a bridge to a client, besides messages. Each is one JSON text. */
export type ControlFrame =
  | { readonly type: "subscribed"; readonly channel: string; readonly position?: Position | undefined }
  | { readonly type: "unsubscribed"; readonly channel: string }
  | GapFrame
  | { readonly type: "error"; readonly code: FrameErrorCode; readonly message: string; readonly channel?: string }
  | { readonly type: "pong" };

/** Reports messages that a client missed, or may have missed. */
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
