import { isTransportError } from "../errors/transport-error.ts";
import { sha256 } from "../hash/sha256.ts";
import type { IdempotentSettings } from "./idempotent-options.ts";

/** A request that may be a repetition. */
export interface KeyedRequest {
  /** What `Idempotency-Key` says. */
  readonly key: string;
  /** Whose key it is. */
  readonly scope: string;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly body: string;
}

/** An answer as it is kept. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Base64 where `isBase64` says so, for bytes that are no text. */
  readonly body: string;
  readonly isBase64?: true;
}

/** What becomes of a request. */
export type Outcome =
  | { readonly kind: "first"; readonly answer: KeptAnswer }
  | { readonly kind: "repeated"; readonly answer: KeptAnswer }
  | { readonly kind: "refused"; readonly problem: Problem };

/** Why a request is refused, as in RFC 9457. */
export interface Problem {
  readonly status: 400 | 409 | 422 | 503;
  readonly title: string;
  readonly detail: string;
}

interface Kept {
  /** The fingerprint of the request. */
  readonly print: string;
  readonly answer: KeptAnswer;
}

/** A key longer than this is refused. */
const longestKey = 255;

export const missingKey: Problem = {
  status: 400,
  title: "Idempotency-Key is missing",
  detail: "Send a header Idempotency-Key with a value of its own for each operation, and the same value when you retry",
};
const badKey: Problem = {
  status: 400,
  title: "Idempotency-Key is invalid",
  detail: `Send a key of 1 to ${longestKey} characters`,
};
const otherRequest: Problem = {
  status: 422,
  title: "Idempotency-Key is already used",
  detail: "This key was sent with another request: use a new key for each operation",
};
const inProgress: Problem = {
  status: 409,
  title: "A request is outstanding for this Idempotency-Key",
  detail: "The first request with this key has not been answered yet: try again later",
};
const unavailable: Problem = {
  status: 503,
  title: "Idempotency can't be checked",
  detail: "The request was not processed: try again later with the same key",
};

/**
 * Runs the first of several equal requests, and answers the others as the first one. While the first one runs they
 * wait. An answer with a status of 500 or above is not kept: the operation may be tried again.
 */
export async function answerOnce<Incoming>(
  settings: IdempotentSettings<Incoming>,
  request: KeyedRequest,
  run: () => Promise<KeptAnswer>,
): Promise<Outcome> {
  if (request.key === "" || request.key.length > longestKey) return { kind: "refused", problem: badKey };
  const { cache, ttlMs, wait } = settings;
  const primary = cache.with({ fallback: false });
  const place = `idempotent:${sha256(JSON.stringify([request.scope, request.key]))}`;
  const print = sha256(JSON.stringify([request.method, request.target, request.body]));
  const kept = async (): Promise<Outcome | undefined> => {
    const found = await primary.get<Kept>(place);
    if (!found) return undefined;
    if (found.print !== print) return { kind: "refused", problem: otherRequest };
    return { kind: "repeated", answer: found.answer };
  };
  try {
    const before = await kept();
    if (before) return before;
    const lock = await cache.lock(place, { wait });
    if (!lock) return { kind: "refused", problem: inProgress };
    try {
      // The request that had the lock before may have been the first one.
      const meanwhile = await kept();
      if (meanwhile) return meanwhile;
      const answer = await outside(run);
      // The first answer that is kept stays, also where the lock was lost meanwhile.
      const value: Kept = { print, answer };
      if (answer.status < 500) await primary.set(place, value, { ttl: `${ttlMs}ms`, nx: true }).catch(() => {});
      return { kind: "first", answer };
    } finally {
      await lock.release().catch(() => {});
    }
  } catch (error) {
    if (error instanceof HandlerFailure) throw error.cause;
    if (isTransportError(error)) return { kind: "refused", problem: unavailable };
    throw error;
  }
}

/** What the handler throws is no failure of the cache, even when it looks like one. */
class HandlerFailure extends Error {}

async function outside<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (cause) {
    throw new HandlerFailure("The handler failed", { cause });
  }
}

/** Bytes in the form in which they are kept. */
export function keptBody(bytes: Uint8Array): Pick<KeptAnswer, "body" | "isBase64"> {
  try {
    return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    let binary = "";
    for (const byte of bytes) binary += String.fromCharCode(byte);
    return { body: btoa(binary), isBase64: true };
  }
}

/** The same back again. */
export function bodyOf({ body, isBase64 }: KeptAnswer): Uint8Array<ArrayBuffer> {
  if (!isBase64) return new TextEncoder().encode(body);
  return Uint8Array.from(atob(body), (char) => char.charCodeAt(0));
}
