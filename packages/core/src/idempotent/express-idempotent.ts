import type { Cache } from "../cache/cache.ts";
import { answerOnce, bodyOf, type KeptAnswer, keptBody, missingKey, type Outcome } from "./answers.ts";
import { headerName } from "./idempotent.ts";
import { type IdempotentOptions, readIdempotentOptions } from "./idempotent-options.ts";

/** The part of Express's `Request` that is used. */
export interface IdempotentExpressRequest {
  readonly method: string;
  readonly originalUrl: string;
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
  /** What a body parser made of the body: put it before this middleware. */
  readonly body?: unknown;
}

/** The part of Express's `Response` that is used. */
export interface IdempotentExpressResponse {
  statusCode: number;
  getHeaders(): { readonly [name: string]: unknown };
  setHeader(name: string, value: string | readonly string[]): unknown;
  write: (...args: never[]) => unknown;
  end: (...args: never[]) => unknown;
  writeHead: (...args: never[]) => unknown;
  flushHeaders: () => void;
}

type Chunk = string | Uint8Array | undefined | (() => void);

/**
 * The same as a middleware for Express, behind a body parser:
 * `app.post("/payments", express.json(), expressIdempotent(cache), pay)`. See `idempotent`.
 *
 * @throws ConfigError when an option is wrong.
 */
export function expressIdempotent<Req extends IdempotentExpressRequest, Res extends IdempotentExpressResponse>(
  cache: Cache,
  options?: IdempotentOptions<Req>,
): (request: Req, response: Res, next: (error?: unknown) => void) => void {
  const settings = readIdempotentOptions("expressIdempotent", cache, options);
  return (request, response, next) => {
    const header = request.headers[headerName];
    const key = typeof header === "string" ? header : undefined;
    const isSafe = ["GET", "HEAD", "OPTIONS"].includes(request.method);
    if (isSafe || (key === undefined && !settings.required)) return next();
    if (key === undefined) return send(response, { kind: "refused", problem: missingKey });
    const { authorization = "", cookie = "" } = request.headers;
    const keyed = {
      key,
      scope: settings.scope ? settings.scope(request) : `${authorization}\n${cookie}`,
      method: request.method,
      target: request.originalUrl,
      body: JSON.stringify(request.body) ?? "",
    };
    const run = async () => {
      const answered = captured(response);
      next();
      return answered;
    };
    answerOnce(settings, keyed, run).then((outcome) => send(response, outcome), next);
  };
}

/** Takes the answer of the handler, which is sent when it is kept. */
function captured(response: IdempotentExpressResponse): Promise<KeptAnswer> {
  const { write, end, writeHead, flushHeaders } = response;
  const chunks: Uint8Array[] = [];
  const take = (chunk: Chunk, encoding?: unknown): void => {
    if (typeof chunk === "string") chunks.push(encodedAs(chunk, encoding));
    else if (chunk instanceof Uint8Array) chunks.push(chunk.slice());
  };
  return new Promise((resolve) => {
    // Headers that are on their way could not be kept or repeated any more.
    response.flushHeaders = () => {};
    response.writeHead = ((status: number, ...rest: readonly unknown[]) => {
      response.statusCode = status;
      const headers = rest.find((each) => typeof each === "object" && each !== null) ?? {};
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      return response;
    }) as typeof writeHead;
    response.write = ((chunk: Chunk, encoding?: unknown) => {
      take(chunk, encoding);
      return true;
    }) as typeof write;
    response.end = ((chunk?: Chunk, encoding?: unknown) => {
      take(chunk, encoding);
      Object.assign(response, { write, end, writeHead, flushHeaders });
      const headers = Object.entries(response.getHeaders()).flatMap(([name, value]) =>
        (Array.isArray(value) ? value : [value]).map((each): [string, string] => [name, String(each)]),
      );
      resolve({ status: response.statusCode, headers, ...keptBody(joined(chunks)) });
      return response;
    }) as typeof end;
  });
}

/** Node knows more encodings than UTF-8. */
function encodedAs(text: string, encoding: unknown): Uint8Array {
  const { Buffer: NodeBuffer } = globalThis as { Buffer?: { from(text: string, encoding?: string): Uint8Array } };
  if (NodeBuffer && typeof encoding === "string") return NodeBuffer.from(text, encoding);
  return new TextEncoder().encode(text);
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function send(response: IdempotentExpressResponse, outcome: Outcome): void {
  const end = response.end as (body?: Uint8Array | string) => unknown;
  if (outcome.kind === "refused") {
    const { problem } = outcome;
    response.statusCode = problem.status;
    response.setHeader("content-type", "application/problem+json");
    if (problem.status === 409 || problem.status === 503) response.setHeader("retry-after", "1");
    end.call(response, JSON.stringify(problem));
    return;
  }
  const { answer, kind } = outcome;
  response.statusCode = answer.status;
  const values = new Map<string, string[]>();
  for (const [name, value] of answer.headers) values.set(name, [...(values.get(name) ?? []), value]);
  for (const [name, all] of values) response.setHeader(name, all.length === 1 ? (all[0] as string) : all);
  if (kind === "repeated") response.setHeader("idempotency-replayed", "true");
  end.call(response, bodyOf(answer));
}
