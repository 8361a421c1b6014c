import type { SendOptions } from "../ports/transport.ts";
import { booleanOption, type KnownOptions, signalOption } from "../settings/options.ts";
import { type Duration, toTimeoutMs } from "../time/duration.ts";

/** What any call of the cache may ask for. */
export interface CacheCallOptions {
  /** How long the call may take. @default the cache's own `timeout` */
  readonly timeout?: Duration;
  /** Ends the call early: it rejects with a `TransportError` of kind `aborted`. */
  readonly signal?: AbortSignal;
  /** `false`: the primary answers, or the call rejects with a `TransportError`; never the local cache. @default true */
  readonly fallback?: boolean;
  /** `false` reads past the near cache, where there is one. @default true */
  readonly near?: boolean;
}

export const knownCallOptions: KnownOptions<CacheCallOptions> = {
  timeout: true,
  signal: true,
  fallback: true,
  near: true,
};

/**
 * The same in the form that a transport takes.
 *
 * @throws ConfigError when an option has a wrong value.
 *
 * @example
 * ```ts
 * import { toSendOptions } from "@continuum-cache/core/kit";
 *
 * toSendOptions({ timeout: "2s", fallback: false }); // { timeoutMs: 2000, fallback: false }
 * ```
 */
export function toSendOptions({ timeout, signal, fallback, near }: CacheCallOptions): SendOptions {
  signalOption(signal);
  booleanOption("near", near);
  return {
    ...(timeout !== undefined && { timeoutMs: toTimeoutMs(timeout, "timeout") }),
    ...(signal && { signal }),
    ...(booleanOption("fallback", fallback) === false && { fallback: false }),
  };
}
