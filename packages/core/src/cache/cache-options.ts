import type { Codec } from "../codecs/codec.ts";
import type { KeyFamily } from "../keys/key-pattern.ts";
import type { Transport } from "../ports/transport.ts";
import type { Duration } from "../time/duration.ts";
import type { TimeToLive } from "./time-to-live.ts";

/** What a cache is made of. */
export interface CacheOptions {
  /** The backend, or a stack of them. */
  readonly transport: Transport;
  /** How values are written. Of a list the first writes and all read; JSON is always read. @default json() */
  readonly codec?: Codec | readonly Codec[];
  /** Put before every key and pattern, so that several caches can share a database. @default "" */
  readonly keyPrefix?: string;
  /** How long values live when neither the call nor the key family says; `Infinity` for no expiry. @default "5m" */
  readonly defaultTtl?: TimeToLive;
  /** Key families whose own time to live is to be respected, such as `Object.values(keys)`. @default none */
  readonly patterns?: readonly KeyFamily[];
  /** Larger values are not stored: `set` answers false, and the `skipped` event tells. In bytes. @default 102_400 */
  readonly maxValueBytes?: number;
  /** How long a call may take. @default "5s" */
  readonly timeout?: Duration;
}

/** @throws TypeError or RangeError that quotes what came. */
export function assertOptions(transport: Transport, keyPrefix: string, maxValueBytes: number): void {
  if (typeof transport?.send !== "function") {
    throw new TypeError(
      `Expected \`transport\` to be a Transport such as restTransport({ url, token }), got ${typeof transport}`,
    );
  }
  if (typeof keyPrefix !== "string")
    throw new TypeError(`Expected \`keyPrefix\` to be a string, got ${typeof keyPrefix}`);
  if (!Number.isSafeInteger(maxValueBytes) || maxValueBytes <= 0) {
    throw new RangeError(
      `Expected \`maxValueBytes\` to be a whole number of bytes above 0, got ${String(maxValueBytes)}`,
    );
  }
}
