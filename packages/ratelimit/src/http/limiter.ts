import type { CombinedDecision, Decision, LimitOptions, RateLimit } from "../types.ts";

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
