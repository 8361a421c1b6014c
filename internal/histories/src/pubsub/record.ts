import type { CommonRecord } from "../checking/records.ts";

/** Names a message in all processes: its publisher, and its number there. */
export interface MessageId {
  readonly publisher: string;
  /** From 0, rising by one: a publisher waits for each of its calls before it makes the next. */
  readonly number: number;
}

export interface Place {
  readonly epoch: number;
  readonly seq: number;
  readonly tag?: string;
}

/** One call of `publish`, written down once it has settled. */
export interface PublishRecord extends MessageId {
  readonly kind: "publish";
  /** The process that called, for its stalls. */
  readonly process?: string;
  readonly channel: string;
  readonly startMs: number;
  readonly endMs: number;
  /**
   * `acked`: the primary has it. `degraded`: this process has heard it; the primary may have heard it too.
   * `none`: it failed, and surely took no effect. `unknown`: it failed, and may have taken effect.
   */
  readonly outcome: "acked" | "degraded" | "none" | "unknown";
  /** With `acked`, on a channel with a history. */
  readonly position?: Place;
}

/** A subscription that the server has confirmed. */
export interface OpenRecord {
  readonly kind: "open";
  readonly subscriber: string;
  /** Whether gaps are repaired from the history. */
  readonly mode: "volatile" | "replay";
  /** The channel, or all channels of the run that its pattern matches. */
  readonly channels: readonly string[];
  /** A loop is told of gaps when they happen, while messages from before still wait for it; a handler in order. */
  readonly through: "handler" | "loop";
  /** When the call was made. */
  readonly askedMs: number;
  /** Since when it is to hear everything: when the call had resolved. */
  readonly atMs: number;
  /** Behind which message it goes on, or with all that is kept. */
  readonly after?: Place | "beginning";
  /** When the process before it was handed that message. */
  readonly afterMs?: number;
  /** The primary was away meanwhile: what this process publishes is all that it heard at first. */
  readonly isDegraded?: true;
}

/** A message as it was handed out. */
export interface DeliveryRecord extends MessageId {
  readonly kind: "delivery";
  readonly subscriber: string;
  readonly channel: string;
  readonly atMs: number;
  readonly position?: Place;
  readonly degraded?: true;
  /** The payload is not what was published. */
  readonly isAltered?: true;
}

/** A gap as it was told. */
export interface GapRecord {
  readonly kind: "gap";
  readonly subscriber: string;
  readonly atMs: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly missed?: number;
  readonly reason: string;
}

/** The subscription's end: given up by its owner, or killed with its process. */
export interface CloseRecord {
  readonly kind: "close";
  readonly subscriber: string;
  readonly atMs: number;
  readonly isKilled?: true;
}

export type PubSubRecord = PublishRecord | OpenRecord | DeliveryRecord | GapRecord | CloseRecord | CommonRecord;

export const nameOf = ({ publisher, number }: MessageId): string => `${publisher}/${number}`;
