import { assertOptions, type KnownOptions } from "@continuum-cache/core/kit";
import type { CombinedDecision, Decision } from "../types.ts";
import { decisionsOf, retryAfterSeconds, wholeSeconds } from "./decisions.ts";
import { type HeaderFormat, readFormats } from "./header-format.ts";
import { type PolicyName, policyNames } from "./policy-names.ts";

/** How header fields show a decision. */
export interface RateLimitHeadersOptions {
  /** One or more; an empty list leaves `Retry-After` alone. @default "draft-10" */
  readonly format?: HeaderFormat | readonly HeaderFormat[];
  /**
   * The names of the limits. Clients see them, so use no ids. Characters that a header can't hold are percent-encoded.
   * @default each limit's scope; with the window's length appended where several limits share it
   */
  readonly policyName?: PolicyName;
}

const knownOptions: KnownOptions<RateLimitHeadersOptions> = { format: true, policyName: true };

/**
 * Makes the header fields of an HTTP response that tell a client how much quota is left, and, when it was refused,
 * after how many whole seconds to come back (`Retry-After`). They hold no id.
 *
 * Several limits are listed one by one; where a format has room for one only, it is the most restrictive.
 *
 * @throws ConfigError when an option or `format` is unknown, RangeError when there is no decision.
 *
 * @example
 * ```ts
 * import { type RateLimiter, rateLimitHeaders } from "@continuum-cache/ratelimit";
 *
 * export async function serve(limiter: RateLimiter, user: string): Promise<Response> {
 *   const decision = await limiter.limit(user, { window: "1m", limit: 100, scope: "api" });
 *   const headers = rateLimitHeaders(decision); // RateLimit-Policy: "api";q=100;w=60
 *   return decision.allowed
 *     ? new Response("welcome", { headers })
 *     : new Response("slow down", { headers, status: 429 });
 * }
 * ```
 */
export function rateLimitHeaders(
  decision: Decision | readonly Decision[] | CombinedDecision,
  options: RateLimitHeadersOptions = {},
): Headers {
  assertOptions("rateLimitHeaders", options, knownOptions);
  const { format = "draft-10", policyName } = options;
  const formats = readFormats("format", format);
  const decisions = decisionsOf(decision);
  const headers = new Headers();
  if (formats.includes("draft-10")) addDraft10(headers, decisions, policyNames(decisions, policyName));
  if (formats.includes("draft-7")) addDraft7(headers, decisions);
  if (formats.includes("legacy")) addLegacy(headers, tightest(decisions));
  const retryAfter = retryAfterSeconds(decisions);
  if (retryAfter !== undefined) headers.set("Retry-After", String(retryAfter));
  return headers;
}

function addDraft10(headers: Headers, decisions: readonly Decision[], names: readonly string[]): void {
  const quoted = names.map((name) => `"${name.replace(/["\\]/g, "\\$&")}"`);
  const list = (parameters: (decision: Decision) => string): string =>
    decisions.map((decision, index) => quoted[index] + parameters(decision)).join(", ");
  headers.set(
    "RateLimit-Policy",
    list(({ limit, windowSeconds }) => `;q=${limit};w=${wholeSeconds(windowSeconds)}`),
  );
  headers.set(
    "RateLimit",
    // No `t` where all is free: `t=0` would promise any rate.
    list(({ remaining, moreAfter }) => `;r=${remaining}${moreAfter > 0 ? `;t=${wholeSeconds(moreAfter)}` : ""}`),
  );
}

function addDraft7(headers: Headers, decisions: readonly Decision[]): void {
  const windows = new Map<number, number>();
  for (const { limit, windowSeconds } of decisions) {
    // This format allows one policy for each quota. The longer window is the more restrictive.
    windows.set(limit, Math.max(windows.get(limit) ?? 0, wholeSeconds(windowSeconds)));
  }
  headers.set("RateLimit-Policy", Array.from(windows, ([limit, seconds]) => `${limit};w=${seconds}`).join(", "));
  const { limit, remaining, resetAt, decidedAtUs } = tightest(decisions);
  const reset = retryAfterSeconds(decisions) ?? wholeSeconds(resetAt.getTime() / 1_000 - decidedAtUs / 1_000_000);
  headers.set("RateLimit", `limit=${limit}, remaining=${remaining}, reset=${reset}`);
}

function addLegacy(headers: Headers, { limit, remaining, resetAt }: Decision): void {
  headers.set("X-RateLimit-Limit", String(limit));
  headers.set("X-RateLimit-Remaining", String(remaining));
  headers.set("X-RateLimit-Reset", String(wholeSeconds(resetAt.getTime() / 1_000)));
}

/**
 * The most restrictive decision: the longest refusal if there is one, otherwise the limit with the least left. Of two
 * with as much left, the one that takes longer to be free again.
 */
const tightest = (decisions: readonly Decision[]): Decision =>
  decisions.reduce((found, next) => {
    const by =
      Number(found.allowed) - Number(next.allowed) ||
      next.retryAfter - found.retryAfter ||
      found.remaining - next.remaining ||
      next.resetAt.getTime() - found.resetAt.getTime();
    return by > 0 ? next : found;
  });
