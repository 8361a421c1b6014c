import type { SendOptions } from "../ports/transport.ts";
import { type Duration, toMs } from "../time/duration.ts";

/** What any call of the cache may ask for. */
export interface CacheCallOptions {
  /** How long the call may take. @default the cache's own `timeout` */
  readonly timeout?: Duration;
  /** Ends the call early: it rejects with a `TransportError` of kind `aborted`. */
  readonly signal?: AbortSignal;
  /** `false`: the primary answers, or the call rejects with a `TransportError`; never the local cache. @default true */
  readonly fallback?: boolean;
}

/** The same, checked, in the waist's terms. */
export function toSendOptions(options: CacheCallOptions): SendOptions {
  return {
    ...(options.timeout !== undefined && { timeoutMs: toMs(options.timeout, "timeout") }),
    ...(options.signal && { signal: options.signal }),
    ...(options.fallback === false && { fallback: false }),
  };
}
