import type { Reply } from "../ports/transport.ts";

/** A value for several callers: each call gives the next caller a copy of its own. */
export type Copies = () => unknown;

/** The border between the caller's values and what is stored. */
export interface Values {
  /** What to store, without metadata. @throws CodecError when the codec can't write it. */
  toStored(value: unknown): string | Uint8Array;
  /** Whether it may be stored; when it is too large the `skipped` event has told it. */
  fits(key: string, stored: string | Uint8Array): boolean;
  /** What can't be left out: a list's item, a message. @throws RangeError when it is too large. */
  toItem(kind: "item" | "message", place: string, value: unknown): string | Uint8Array;
  /** A list's item, or `undefined` when there is none or it can't be read: then the `error` event has told it. */
  fromItem(operation: string, key: string, reply: Reply | undefined): unknown;
  /** The same for what stands under a key; a placeholder and a value that is no longer fresh count as none. */
  fromStored(operation: string, key: string, reply: Reply | undefined): unknown;
  /** The same for several callers. */
  copiesOf(operation: string, key: string, reply: Reply | undefined): Copies | undefined;
  /** The same for what stands behind a header. */
  copiesOfBody(operation: string, key: string, body: Reply | undefined): Copies | undefined;
}
