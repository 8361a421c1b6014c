export { CostError } from "./errors/cost-error.ts";
export { WaitError } from "./errors/wait-error.ts";
export { type ClientKeyOptions, clientKey } from "./http/client-key.ts";
export { forwardedAddress } from "./http/forwarded-address.ts";
export type { HeaderFormat } from "./http/header-format.ts";
export type { PolicyName } from "./http/policy-names.ts";
export { type RateLimitHeadersOptions, rateLimitHeaders } from "./http/rate-limit-headers.ts";
export { type RateLimitProblem, rateLimitProblem } from "./http/rate-limit-problem.ts";
export type { DenyCacheOptions, RateLimiterBackend, RateLimiterOptions } from "./options.ts";
export { presets } from "./options.ts";
export { type AcquireOptions, type IdentifiedLimit, RateLimiter } from "./rate-limiter.ts";
export type {
  Algorithm,
  CombinedDecision,
  Decision,
  DecisionSource,
  LimitOptions,
  OnError,
  RateLimit,
  RateLimiterEvents,
  Receipt,
  Usage,
} from "./types.ts";
