import { ConfigError } from "../errors/config-error.ts";
import { quoted } from "../errors/quoted.ts";
import type { SendOptions } from "../ports/transport.ts";
import { booleanOption, type KnownOptions } from "../settings/options.ts";
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

export const knownCallOptions: KnownOptions<CacheCallOptions> = { timeout: true, signal: true, fallback: true };

/** The same as a transport takes them. @throws ConfigError when one can't be. */
export function toSendOptions({ timeout, signal, fallback }: CacheCallOptions): SendOptions {
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw new ConfigError("signal", `Expected \`signal\` to be an AbortSignal, got ${quoted(signal)}`);
  }
  return {
    ...(timeout !== undefined && { timeoutMs: toTimeoutMs(timeout, "timeout") }),
    ...(signal && { signal }),
    ...(booleanOption("fallback", fallback) === false && { fallback: false }),
  };
}
