import { ConfigError } from "@continuum-cache/core";
import type { AddressSource } from "./http/client-address.ts";
import type { Limited, LimiterOf, RequestLimitOptions } from "./http/request-limit-options.ts";
import { createRequestLimiter, type RequestOutcome } from "./http/request-limiter.ts";
import { addedFields } from "./http/response-headers.ts";

export type { KeyOf, Limited, Limiter, LimiterOf, RequestLimit } from "./http/request-limit-options.ts";

/**
 * The part of Express's `Request` that is used, and that most keys are made of. For more, declare your own type:
 * `(req: Request) => …`.
 */
export interface ExpressRequest {
  readonly ip?: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly query: { readonly [name: string]: unknown };
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
  readonly app?: { get(setting: string): unknown };
}

/** The part of Express's `Response` that is used. */
export interface ExpressResponse {
  statusCode: number;
  readonly headersSent: boolean;
  getHeader(name: string): unknown;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/** How requests to an Express app are limited. */
export type ExpressLimitOptions<Req extends ExpressRequest, Res extends ExpressResponse> = RequestLimitOptions<
  readonly [request: Req, response: Res],
  unknown
>;

/**
 * Limits requests to an Express app: `app.use(rateLimit(limiter, { window: "1m", limit: 100 }))`.
 *
 * A client is `req.ip`, which Express takes from the connection, or from `X-Forwarded-For` as its setting `trust proxy`
 * says: set it to the number of your proxies. `true` would let each client write its own address, and is refused. Every
 * response shows the limits in its headers, unless a handler sets them itself.
 *
 * `onLimited` is called with the status and the headers set: it sends the body.
 *
 * @throws ConfigError when the options can't be. A request without an address or a key goes to the app's error handler.
 *
 * @example
 * ```ts
 * import { presets, RateLimiter } from "@continuum-cache/ratelimit";
 * import { rateLimit } from "@continuum-cache/ratelimit/express";
 * import { tcpTransport } from "@continuum-cache/transport-tcp";
 *
 * const limiter = new RateLimiter({ transport: tcpTransport({ url: "redis://127.0.0.1:6379" }) });
 *
 * export const ofAll = rateLimit(limiter, presets.api); // app.use(ofAll)
 * export const ofUsers = rateLimit(limiter, {
 *   scope: "uploads",
 *   window: "1d",
 *   limit: 50,
 *   key: (req) => String(req.headers["x-user"]), // checked by a middleware before
 *   skip: (req) => req.ip === "127.0.0.1",
 * });
 * ```
 */
export function rateLimit<Req extends ExpressRequest = ExpressRequest, Res extends ExpressResponse = ExpressResponse>(
  limiter: LimiterOf<readonly [request: Req, response: Res]>,
  options: ExpressLimitOptions<Req, Res> = {},
): (request: Req, response: Res, next: (error?: unknown) => void) => void {
  const limitRequest = createRequestLimiter("rateLimit", limiter, options, source);
  const { onLimited = refuse } = options;

  const pass = async (request: Req, response: Res): Promise<boolean> => {
    const outcome = await limitRequest(request, response);
    // Another handler did not wait, and has responded.
    if (!outcome || response.headersSent) return !outcome?.limited;
    setHeaders(response, outcome);
    if (!outcome.limited) return true;
    response.statusCode = outcome.limited.problem.status;
    await onLimited(outcome.limited, request, response);
    return false;
  };

  // Not `async`: Express 4 ignores promises.
  return (request, response, next) => {
    pass(request, response).then((isFree) => {
      if (isFree) next();
    }, next);
  };
}

function setHeaders(response: ExpressResponse, { headers, limited }: RequestOutcome): void {
  const present = (name: string): string | undefined => {
    const value = response.getHeader(name);
    // Headers of an earlier limiter that describe a single limit do not describe the limit that refuses.
    const isOutdated = limited && !String(value).startsWith('"');
    return value === undefined || isOutdated ? undefined : String(value);
  };
  for (const [name, value] of addedFields(headers, present)) response.setHeader(name, value);
}

function refuse({ problem }: Limited, _request: ExpressRequest, response: ExpressResponse): void {
  response.setHeader("Content-Type", "application/problem+json");
  response.end(JSON.stringify(problem));
}

const source: AddressSource<readonly [request: ExpressRequest, response: ExpressResponse]> = {
  header: (name, { headers }) => {
    const value = headers[name];
    return typeof value === "object" ? value.join(",") : value;
  },
  peer: ({ ip, app }) => {
    if (app?.get("trust proxy") !== true) return ip;
    throw new ConfigError(
      "trust proxy",
      'Expected Express\'s "trust proxy" to be the number of your proxies, got true: clients could write their own ' +
        'address, a new one for each call. Set it with app.set("trust proxy", 1), or give the limit a `key`',
    );
  },
  fix: "`key: (req) => …`: requests through a Unix socket have no address",
};
