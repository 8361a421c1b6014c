import type { CombinedDecision, Decision, LimitOptions, RateLimit } from "../types.ts";
import type { ClientAddressOptions } from "./client-address.ts";
import type { HeaderFormat } from "./header-format.ts";
import type { PolicyName } from "./policy-names.ts";
import type { RateLimitProblem } from "./rate-limit-problem.ts";

/** Whom a request is counted for: a user's id, an API key's hash, a tenant. Never what a client may freely choose. */
export type KeyOf<Input extends readonly unknown[]> = (
  ...input: Input
) => string | undefined | Promise<string | undefined>;

/** One of several limits that a request is under. */
export interface RequestLimit<Input extends readonly unknown[]> extends Partial<RateLimit> {
  /** @default the `key` of the options, or else the client's address */
  readonly key?: KeyOf<Input>;
}

/** What is known of a refused request, to build one's own answer from. */
export interface Limited extends CombinedDecision {
  readonly allowed: false;
  /** Whole seconds, as in `Retry-After`. */
  readonly retryAfter: number;
  /** What the default answer says: its `status` is 429, or 503 when the limiter refuses because it can't look. */
  readonly problem: RateLimitProblem;
  /** The fields that the answer will have, as far as it does not set them itself. */
  readonly headers: Headers;
}

/**
 * How requests are limited. `window`, `limit`, `scope` and `burst` are the limiter's own unless given here.
 *
 * By default a client is its address: IPv6 by prefix, and forwarding headers are read only when told so.
 */
export interface RequestLimitOptions<Input extends readonly unknown[], Answer>
  extends Partial<RateLimit>,
    ClientAddressOptions {
  /**
   * Whom a request is counted for. No key is an error and not a free pass: see `skip`. @default the client's address
   */
  readonly key?: KeyOf<Input>;
  /** Several limits, charged together or not at all. Those of the same window need different scopes. */
  readonly limits?: readonly RequestLimit<Input>[];
  /**
   * What a request takes. One that could never be allowed is a `CostError`, which goes where the handler's errors go.
   * @default 1
   */
  readonly cost?: number | ((...input: Input) => number | Promise<number>);
  /** Lets a request pass uncounted. @default none */
  readonly skip?: (...input: Input) => boolean | Promise<boolean>;
  /** How answers tell of the limits; `false`: by nothing but `Retry-After`. @default "draft-10" */
  readonly headers?: HeaderFormat | readonly HeaderFormat[] | false;
  /** What clients get to know the limits as. @default their scopes */
  readonly policyName?: PolicyName;
  /** Answers a refused request. @default problem details (RFC 9457) with status 429 */
  readonly onLimited?: (limited: Limited, ...input: Input) => Answer;
}

/** What middleware needs of a limiter; a `RateLimiter` has it. */
export interface Limiter {
  limit(id: string, options?: LimitOptions): Promise<Decision>;
  limitAll(
    limits: readonly (Partial<RateLimit> & { readonly id: string })[],
    options?: { readonly cost?: number },
  ): Promise<CombinedDecision>;
}

/**
 * A limiter, or how to get at it: where a platform hands out its settings with each request, it can't be made before.
 */
export type LimiterOf<Input extends readonly unknown[]> = Limiter | ((...input: Input) => Limiter);
