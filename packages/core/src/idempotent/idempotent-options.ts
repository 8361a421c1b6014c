import type { Cache } from "../cache/cache.ts";
import { quoted } from "../errors/quoted.ts";
import { assertOptions, functionOption, type KnownOptions } from "../settings/options.ts";
import { type Duration, toTimeoutMs } from "../time/duration.ts";

/** How repeated requests are answered. */
export interface IdempotentOptions<Incoming> {
  /** How long an answer is kept. @default "1d" */
  readonly ttl?: Duration;
  /** How long a repeated request waits for the first one, before it gets 409. @default "30s" */
  readonly wait?: Duration;
  /**
   * Whose keys these are: two clients that send the same key must never get one another's answers.
   * @default the request's `Authorization` and `Cookie` headers
   */
  readonly scope?: (request: Incoming) => string;
  /** Answers requests without a key with 400, instead of passing them on. @default false */
  readonly required?: boolean;
}

/** The same, checked. */
export interface IdempotentSettings<Incoming> {
  readonly cache: Cache;
  readonly ttlMs: number;
  readonly wait: Duration;
  readonly required: boolean;
  readonly scope: ((request: Incoming) => string) | undefined;
}

const known: KnownOptions<IdempotentOptions<never>> = { ttl: true, wait: true, scope: true, required: true };

/** @throws ConfigError when an option is unknown, or can't be. */
export function readIdempotentOptions<Incoming>(
  owner: string,
  cache: Cache,
  options: IdempotentOptions<Incoming> = {},
): IdempotentSettings<Incoming> {
  if (typeof cache?.lock !== "function") throw new TypeError(`Expected a Cache for ${owner}, got ${quoted(cache)}`);
  assertOptions(owner, options, known);
  const { ttl = "1d", wait = "30s", required = false, scope } = options;
  toTimeoutMs(wait, "wait");
  return { cache, ttlMs: toTimeoutMs(ttl, "ttl"), wait, required, scope: functionOption("scope", scope) };
}
