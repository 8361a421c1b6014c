import type { Cache } from "../cache/cache.ts";
import {
  answerOnce,
  bodyOf,
  type KeptAnswer,
  type KeyedRequest,
  keptBody,
  missingKey,
  type Outcome,
} from "./answers.ts";
import { type IdempotentOptions, type IdempotentSettings, readIdempotentOptions } from "./idempotent-options.ts";

/**
 * Makes a fetch handler answer repeated requests, those with the same `Idempotency-Key`, as it answered the first one.
 * A request that comes while the first one runs waits for its answer. The same key with another method, address or body
 * gets 422; a key whose first request is not answered within `wait` gets 409; where the primary gives no answer the
 * request gets 503 and is not processed. An answer of 500 or above is not kept. Requests without a key, and GET, HEAD
 * and OPTIONS, pass unchanged.
 *
 * @throws ConfigError when an option is wrong.
 *
 * @example
 * ```ts
 * import type { Cache } from "@continuum-cache/core";
 * import { idempotent } from "@continuum-cache/core/idempotent";
 *
 * export const payments = (cache: Cache, pay: (order: unknown) => Promise<string>) =>
 *   idempotent(cache, async (request: Request) => Response.json({ receipt: await pay(await request.json()) }));
 * ```
 */
export function idempotent<More extends unknown[]>(
  cache: Cache,
  handler: (request: Request, ...more: More) => Response | Promise<Response>,
  options?: IdempotentOptions<Request>,
): (request: Request, ...more: More) => Promise<Response> {
  const settings = readIdempotentOptions("idempotent", cache, options);
  return (request, ...more) => respond(settings, request, async () => handler(request, ...more));
}

/** The part of Hono's `Context` that is used. */
export interface IdempotentHonoContext {
  readonly req: { readonly raw: Request };
  res: Response;
}

/**
 * The same as a middleware for Hono: `app.use("/payments", honoIdempotent(cache))`. See {@link idempotent}.
 *
 * @throws ConfigError when an option is wrong.
 */
export function honoIdempotent(
  cache: Cache,
  options?: IdempotentOptions<Request>,
): (context: IdempotentHonoContext, next: () => Promise<void>) => Promise<Response | undefined> {
  const settings = readIdempotentOptions("honoIdempotent", cache, options);
  return async (context, next) => {
    const response = await respond(settings, context.req.raw, async () => {
      await next();
      return context.res;
    });
    if (response === context.res) return undefined;
    context.res = response;
    return response;
  };
}

const safeMethods: readonly string[] = ["GET", "HEAD", "OPTIONS"];
export const headerName = "idempotency-key";

async function respond(
  settings: IdempotentSettings<Request>,
  request: Request,
  run: () => Promise<Response>,
): Promise<Response> {
  const key = request.headers.get(headerName);
  if (safeMethods.includes(request.method) || (key === null && !settings.required)) return run();
  if (key === null) return responseOf({ kind: "refused", problem: missingKey });
  const outcome = await answerOnce(settings, await keyedRequest(settings, request, key), async () => {
    return keptResponse(await run());
  });
  return responseOf(outcome);
}

async function keyedRequest(
  { scope }: IdempotentSettings<Request>,
  request: Request,
  key: string,
): Promise<KeyedRequest> {
  const { pathname, search } = new URL(request.url);
  const credentials = `${request.headers.get("authorization") ?? ""}\n${request.headers.get("cookie") ?? ""}`;
  return {
    key,
    scope: scope ? scope(request) : credentials,
    method: request.method,
    target: pathname + search,
    body: keptBody(new Uint8Array(await request.clone().arrayBuffer())).body,
  };
}

async function keptResponse(response: Response): Promise<KeptAnswer> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers: [...response.headers], ...keptBody(bytes) };
}

/** Statuses whose response has no body. */
const bodiless: readonly number[] = [101, 204, 205, 304];

function responseOf(outcome: Outcome): Response {
  if (outcome.kind === "refused") {
    const { problem } = outcome;
    const headers = new Headers({ "content-type": "application/problem+json" });
    if (problem.status === 409 || problem.status === 503) headers.set("retry-after", "1");
    return new Response(JSON.stringify(problem), { status: problem.status, headers });
  }
  const { answer, kind } = outcome;
  const headers = new Headers(answer.headers.map(([name, value]): [string, string] => [name, value]));
  if (kind === "repeated") headers.set("idempotency-replayed", "true");
  const body = bodiless.includes(answer.status) ? null : bodyOf(answer);
  return new Response(body, { status: answer.status, headers });
}
