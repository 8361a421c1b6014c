import { assertOptions } from "@continuum-cache/core/kit";
import type { CombinedDecision, Decision } from "../types.ts";
import { decisionsOf, retryAfterSeconds } from "./decisions.ts";
import { type PolicyName, policyNames } from "./policy-names.ts";

/** Why a call was refused, as problem details (RFC 9457): the body of a response of type `application/problem+json`. */
export interface RateLimitProblem {
  /** The problem type that the IETF draft on rate limit headers defines. */
  readonly type: string;
  readonly title: string;
  /** 429; or 503 when the caller is not at fault, since the limiter could not read the quota. */
  readonly status: 429 | 503;
  readonly detail: string;
  /** The names of the limits that refused the call, as in `RateLimit-Policy`. */
  readonly "violated-policies": readonly string[];
}

const types = "https://iana.org/assignments/http-problem-types";

/**
 * Describes a refusal for programs: the `quota-exceeded` problem of the IETF draft on rate limit headers. When the
 * limiter refuses because Redis is away (`onError: "closed"`), the problem is `temporary-reduced-capacity`.
 *
 * @throws RangeError when no decision is a refusal, ConfigError when an option is unknown.
 *
 * @example
 * ```ts
 * import { type Decision, rateLimitHeaders, rateLimitProblem } from "@continuum-cache/ratelimit";
 *
 * export function refuse(decision: Decision): Response {
 *   const headers = rateLimitHeaders(decision);
 *   headers.set("Content-Type", "application/problem+json");
 *   const problem = rateLimitProblem(decision);
 *   return new Response(JSON.stringify(problem), { status: problem.status, headers });
 * }
 * ```
 */
export function rateLimitProblem(
  decision: Decision | readonly Decision[] | CombinedDecision,
  options: { readonly policyName?: PolicyName } = {},
): RateLimitProblem {
  assertOptions("rateLimitProblem", options, { policyName: true });
  const { policyName } = options;
  const decisions = decisionsOf(decision);
  const retryAfter = retryAfterSeconds(decisions);
  if (retryAfter === undefined)
    throw new RangeError("Expected a decision that refuses, got none: call it for refusals only");
  const names = policyNames(decisions, policyName);
  const isBlind = decisions.every(({ source }) => source === "closed");
  return {
    type: `${types}#${isBlind ? "temporary-reduced-capacity" : "quota-exceeded"}`,
    title: isBlind ? "Temporary reduced capacity" : "Quota exceeded",
    status: isBlind ? 503 : 429,
    detail: `Try again in ${retryAfter} ${retryAfter === 1 ? "second" : "seconds"}.`,
    "violated-policies": names.filter((_, index) => !decisions[index]?.allowed),
  };
}
