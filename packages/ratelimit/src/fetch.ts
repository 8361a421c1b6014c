import type { AddressSource } from "./http/client-address.ts";
import type { LimiterOf, RequestLimitOptions } from "./http/request-limit-options.ts";
import { createRequestLimiter } from "./http/request-limiter.ts";
import { refusalOf, withFields } from "./http/response-headers.ts";

export type { KeyOf, Limited, Limiter, LimiterOf, RequestLimit } from "./http/request-limit-options.ts";

/** A web-standard handler. `Rest` are the platform's further arguments, such as the environment and a context. */
export type FetchHandler<Rest extends readonly unknown[]> = (
  request: Request,
  ...rest: Rest
) => Response | Promise<Response>;

/** How requests to a web-standard handler are limited: by `key`, or by an address from a header. */
export type FetchLimitOptions<Rest extends readonly unknown[]> = RequestLimitOptions<
  readonly [request: Request, ...rest: Rest],
  Response | Promise<Response>
>;

/**
 * Puts a limit before a web-standard handler: a Worker's `fetch`, a route of Next.js, `Deno.serve`, `Bun.serve`.
 *
 * A `Request` holds no address, so one of these options is required: `key`; `ipHeader`, a field that your platform
 * writes; or `trustedProxies`. Every response shows the limits in its headers; headers that the handler has set stay.
 *
 * @param limiter - A limiter, or a function that returns it, where settings come with each request.
 * @throws ConfigError when an option is wrong, or when none says which client a request belongs to. The returned
 * handler rejects with a TypeError when a request has no key.
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
    fix: '`key: (request) => …`, or `ipHeader: "cf-connecting-ip"` (or your platform\'s field), or `trustedProxies: 1`',
  };
  const limitRequest = createRequestLimiter("withRateLimit", limiter, options, source);
  const { onLimited = refusalOf } = options;
  return async (request, ...rest) => {
    const outcome = await limitRequest(request, ...rest);
    if (!outcome) return handler(request, ...rest);
    const { limited, headers } = outcome;
    const answer = limited ? await onLimited(limited, request, ...rest) : await handler(request, ...rest);
    return withFields(answer, headers);
  };
}
