import type { CombinedDecision, Decision, LimitOptions, RateLimit } from "../types.ts";
import type { ClientAddressOptions } from "./client-address.ts";
import type { HeaderFormat } from "./header-format.ts";
import type { PolicyName } from "./policy-names.ts";
import type { RateLimitProblem } from "./rate-limit-problem.ts";

/**
 * Returns the id that a request is counted for: a user's, an API key's hash, a tenant's. Never a client's free choice.
 */
export type KeyOf<Input extends readonly unknown[]> = (
  ...input: Input
) => string | undefined | Promise<string | undefined>;

/** One of several limits that a request is under. */
export interface RequestLimit<Input extends readonly unknown[]> extends Partial<RateLimit> {
  /** @default the `key` of the options, or else the client's address */
  readonly key?: KeyOf<Input>;
}

/** Facts of a refused request, to build your own response from. */
export interface Limited extends CombinedDecision {
  readonly allowed: false;
  /** Whole seconds, as in `Retry-After`. */
  readonly retryAfter: number;
  /** The body of the default response. Its `status` is 429, or 503 when the limiter refuses because Redis is away. */
  readonly problem: RateLimitProblem;
  /** The headers that the response gets, unless it sets them itself. */
  readonly headers: Headers;
}

/**
 * How requests are limited. `window`, `limit`, `scope` and `burst` are the limiter's own unless given here.
 *
 * By default a client is its address: IPv6 by prefix. Forwarding headers are read only where an option says so.
 */
export interface RequestLimitOptions<Input extends readonly unknown[], Answer>
  extends Partial<RateLimit>,
    ClientAddressOptions {
  /**
   * The id that a request is counted for. A request without a key is an error: see `skip`. @default the client's
   * address
   */
  readonly key?: KeyOf<Input>;
  /** Several limits, charged together or not at all. Those of the same window need different scopes. */
  readonly limits?: readonly RequestLimit<Input>[];
  /**
   * What a request costs. A cost above the limit is a `CostError`, which goes where the handler's errors go.
   * @default 1
   */
  readonly cost?: number | ((...input: Input) => number | Promise<number>);
  /** Lets a request pass uncounted. @default none */
  readonly skip?: (...input: Input) => boolean | Promise<boolean>;
  /** How responses show the limits; with `false`, only by `Retry-After`. @default "draft-10" */
  readonly headers?: HeaderFormat | readonly HeaderFormat[] | false;
  /** The names of the limits in responses. @default their scopes */
  readonly policyName?: PolicyName;
  /** Answers a refused request. @default problem details (RFC 9457) with status 429 */
  readonly onLimited?: (limited: Limited, ...input: Input) => Answer;
}

/** The part of a `RateLimiter` that middleware needs. */
export interface Limiter {
  limit(id: string, options?: LimitOptions): Promise<Decision>;
  limitAll(
    limits: readonly (Partial<RateLimit> & { readonly id: string })[],
    options?: { readonly cost?: number },
  ): Promise<CombinedDecision>;
}

/**
 * A limiter, or a function that returns it: where settings come with each request, it can't be made earlier.
 */
export type LimiterOf<Input extends readonly unknown[]> = Limiter | ((...input: Input) => Limiter);
