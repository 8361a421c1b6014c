import type { AddressSource } from "./http/client-address.ts";
import type { LimiterOf, RequestLimitOptions } from "./http/request-limit-options.ts";
import { createRequestLimiter } from "./http/request-limiter.ts";
import { addedFields, isCopyable, refusalOf, withFields } from "./http/response-headers.ts";

export type { KeyOf, Limited, Limiter, LimiterOf, RequestLimit } from "./http/request-limit-options.ts";

/**
 * The part of Hono's `Context` that is used, and that most keys are made of. For more, declare your own type:
 * `(c: Context<Env>) => …`.
 */
export interface HonoContext {
  readonly req: {
    readonly raw: Request;
    readonly method: string;
    readonly path: string;
    header(name: string): string | undefined;
    query(name: string): string | undefined;
  };
  readonly env: unknown;
  readonly res: Response;
  header(name: string, value: string): void;
}

/** How requests to a Hono app are limited. */
export type HonoLimitOptions<Context extends HonoContext> = RequestLimitOptions<
  readonly [context: Context],
  Response | Promise<Response>
>;

/**
 * Limits requests to a Hono app: `app.use(rateLimit(limiter, { window: "1m", limit: 100 }))`.
 *
 * On Node a client is the address of the connection. Behind a proxy, or where there is no connection to look at, as in
 * Workers, set `ipHeader`, `trustedProxies` or `key`. Every response shows the limits in its headers; headers that a
 * handler has set stay.
 *
 * @param limiter - A limiter, or a function of the context that returns it, where settings come with each request.
 * @throws ConfigError when an option is wrong. A request without an address or a key is an error of the app.
 *
 * @example
 * ```ts
 * import { presets, RateLimiter } from "@continuum-cache/ratelimit";
 * import { rateLimit } from "@continuum-cache/ratelimit/hono";
 * import { tcpTransport } from "@continuum-cache/transport-tcp";
 *
 * const limiter = new RateLimiter({ transport: tcpTransport({ url: "redis://127.0.0.1:6379" }) });
 *
 * export const ofAll = rateLimit(limiter, presets.api); // app.use(ofAll)
 * export const ofSearch = rateLimit(limiter, {
 *   ...presets.search,
 *   cost: (c) => (c.req.method === "POST" ? 5 : 1), // app.use("/search", ofSearch)
 * });
 * ```
 */
export function rateLimit<Context extends HonoContext = HonoContext>(
  limiter: LimiterOf<readonly [context: Context]>,
  options: HonoLimitOptions<Context> = {},
): (context: Context, next: () => Promise<void>) => Promise<Response | undefined> {
  const limitRequest = createRequestLimiter("rateLimit", limiter, options, source);
  const { onLimited = refusalOf } = options;
  return async (context, next) => {
    const outcome = await limitRequest(context);
    const { limited, headers } = outcome ?? {};
    if (limited) return withFields(await onLimited(limited, context), limited.headers);
    await next();
    if (!headers || !isCopyable(context.res)) return undefined;
    // Read once: each header that is set makes Hono copy the response.
    const { headers: present } = context.res;
    for (const [name, value] of addedFields(headers, (name) => present.get(name))) context.header(name, value);
    return undefined;
  };
}

/** The `env` of @hono/node-server. */
interface NodeEnvironment {
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } };
}

const source: AddressSource<readonly [context: HonoContext]> = {
  header: (name, { req }) => req.raw.headers.get(name),
  peer: ({ env }) => (env as NodeEnvironment | undefined)?.incoming?.socket?.remoteAddress,
  fix:
    '`ipHeader: "cf-connecting-ip"` (or your platform\'s name for it), or `trustedProxies: 1`, or ' +
    "`key: (c) => clientKey(getConnInfo(c).remote.address)` with the `getConnInfo` of your runtime's adapter",
};
