import type { AddressSource } from "./http/client-address.ts";
import type { LimiterOf, RequestLimitOptions } from "./http/request-limit-options.ts";
import { createRequestLimiter } from "./http/request-limiter.ts";
import { refusalOf, withFields } from "./http/response-headers.ts";

export type { KeyOf, Limited, Limiter, LimiterOf, RequestLimit } from "./http/request-limit-options.ts";

/** A web-standard handler; `Rest` is what the platform gives besides: the environment, a context. */
export type FetchHandler<Rest extends readonly unknown[]> = (
  request: Request,
  ...rest: Rest
) => Response | Promise<Response>;

/** How requests to a web-standard handler are limited: by `key`, or by an address out of a header. */
export type FetchLimitOptions<Rest extends readonly unknown[]> = RequestLimitOptions<
  readonly [request: Request, ...rest: Rest],
  Response | Promise<Response>
>;

/**
 * Puts a limit before a web-standard handler: a Worker's `fetch`, a route of Next.js, `Deno.serve`, `Bun.serve`.
 *
 * A `Request` holds no address. So say whom to count for: `key`; or `ipHeader`, a field that your platform writes; or
 * `trustedProxies`. Every answer tells of the limits in its headers; what the handler has set itself stays.
 *
 * @param limiter - Or a function that gets at it, where settings come with each request.
 * @throws ConfigError when the options can't be, or don't say whom to count for. The handler it returns rejects with a
 * TypeError where a request has no key.
 *
 * @example
 * ```ts
 * import { presets, RateLimiter } from "@continuum-cache/ratelimit";
 * import { withRateLimit } from "@continuum-cache/ratelimit/fetch";
 * import { restTransport } from "@continuum-cache/transport-rest";
 *
 * const transport = restTransport({ url: "https://eu1-calm-owl-1.upstash.io", token: "…" });
 * const limiter = new RateLimiter({ transport });
 *
 * export default {
 *   fetch: withRateLimit(() => new Response("hello"), limiter, { ...presets.api, ipHeader: "cf-connecting-ip" }),
 * };
 * ```
 */
export function withRateLimit<Rest extends readonly unknown[]>(
  handler: FetchHandler<Rest>,
  limiter: LimiterOf<readonly [request: Request, ...rest: Rest]>,
  options: FetchLimitOptions<Rest>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  const source: AddressSource<readonly [request: Request, ...rest: Rest]> = {
    header: (name, ...[request]) => request.headers.get(name),
    fix: '`key: (request) => …`, or `ipHeader: "cf-connecting-ip"` or what your platform calls it, or `trustedProxies: 1`',
  };
  const gate = createRequestLimiter("withRateLimit", limiter, options, source);
  const { onLimited = refusalOf } = options;
  return async (request, ...rest) => {
    const outcome = await gate(request, ...rest);
    if (!outcome) return handler(request, ...rest);
    const { limited, headers } = outcome;
    const answer = limited ? await onLimited(limited, request, ...rest) : await handler(request, ...rest);
    return withFields(answer, headers);
  };
}
