import type { Reply, SendOptions } from "../ports/transport.ts";
import type { Texts } from "../tags/marker-reads.ts";

/** A value for several callers: each call gives the next caller a copy of its own. */
export type Copies = () => unknown;

/** A read that was sent, as far as what verifies the tags of its value has to know it. */
export interface SentRead {
  readonly fullKey: string;
  readonly options: SendOptions | undefined;
  /** When it was sent, by `performance.now()`. */
  readonly startedMs: number;
  /** The markers that were read with it. */
  readonly texts: Promise<Texts> | undefined;
}

/** Decodes what stands under a key, or behind its header. Where that takes time the value is a promise. */
export type Opening = <Found>(
  reply: Reply | undefined,
  read: SentRead | undefined,
  decode: (body: Reply | undefined) => Found | undefined,
) => Found | undefined;

/** The border between the caller's values and what is stored. */
export interface Values {
  /** What to store, without a header. @throws CodecError when the codec can't write it. */
  toBody(value: unknown): string | Uint8Array;
  /** Whether it may be stored; when it is too large the `skipped` event has told it. */
  fits(key: string, stored: string | Uint8Array): boolean;
  /** What can't be left out: a list's item, a message. @throws RangeError when it is too large. */
  toItem(kind: "item" | "message", place: string, value: unknown): string | Uint8Array;
  /** A list's item, or `undefined` when there is none or it can't be read: then the `error` event has told it. */
  fromItem(operation: string, key: string, reply: Reply | undefined): unknown;
  /**
   * The same for what stands under a key; a placeholder and a value that is no longer fresh count as none. A value with
   * a header may come as a promise: once its tags are verified.
   */
  fromStored(operation: string, key: string, reply: Reply | undefined, read?: SentRead): unknown;
  /** The same for several callers. */
  copiesOf(operation: string, key: string, reply: Reply | undefined, read?: SentRead): Copies | undefined;
  /** The same for what stands behind a header. */
  copiesOfBody(operation: string, key: string, body: Reply | undefined): Copies | undefined;
}
