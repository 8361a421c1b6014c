import type { SendOptions } from "../ports/transport.ts";
import { type Duration, toTimeoutMs } from "../time/duration.ts";

/** What any call of the cache may ask for. */
export interface CacheCallOptions {
  /** How long the call may take. @default the cache's own `timeout` */
  readonly timeout?: Duration;
  /** Ends the call early: it rejects with a `TransportError` of kind `aborted`. */
  readonly signal?: AbortSignal;
  /** `false`: the primary answers, or the call rejects with a `TransportError`; never the local cache. @default true */
  readonly fallback?: boolean;
}

const nothing: SendOptions = {};

/** The same, checked, in the waist's terms. */
export function toSendOptions({ timeout, signal, fallback }: CacheCallOptions): SendOptions {
  // Nearly every call: worth not making an object for.
  if (timeout === undefined && !signal && fallback !== false) return nothing;
  return {
    ...(timeout !== undefined && { timeoutMs: toTimeoutMs(timeout, "timeout") }),
    ...(signal && { signal }),
    ...(fallback === false && { fallback: false }),
  };
}
