import { TransportError, type TransportErrorDetails, type TransportErrorKind } from "@continuum-cache/core";
import { LostRequest, NotHttp } from "./http/http-errors.ts";

/** The transport's name, in errors and events. */
export const restName = "rest";

/** What is known of an answer without its body, which may hold stored values and is never repeated. */
export interface AnswerHead {
  readonly status: number;
  header(name: string): string | undefined;
}

export function restError(
  kind: TransportErrorKind,
  message: string,
  details: Omit<TransportErrorDetails, "transport"> = {},
): TransportError {
  return new TransportError(kind, message, { transport: restName, ...details });
}

/** The request surely never left when these failed: no address, no connection, no trust. */
const neverLeft =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused|CERT_\w+|ERR_TLS_CERT_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+)$/;

/**
 * Sorts what an HTTP client threw. A connection that broke, even before the first byte of an answer, may have
 * delivered.
 */
export function errorFromNetwork(error: unknown, origin: string): TransportError {
  const { cause, unsent } = error instanceof LostRequest ? error : { cause: error, unsent: false };
  const coded = findCoded(cause);
  const code = coded?.code ?? "";
  if (cause instanceof NotHttp || code.startsWith("HPE_")) {
    // Not the cause: the error of another parser carries the bytes it stumbled over.
    const why = cause instanceof NotHttp ? cause.message : code;
    return restError("protocol", `What ${origin} answers is not HTTP (${why}; check \`url\`)`);
  }
  const none = unsent || neverLeft.test(code) || coded?.syscall === "connect" || coded?.syscall === "getaddrinfo";
  return restError("unreachable", `No answer from ${origin}${code && `: ${code}`} (check \`url\` and the network)`, {
    delivery: none ? "none" : "unknown",
    cause,
  });
}

interface Coded {
  readonly code: string;
  readonly syscall?: unknown;
}

/** `fetch` hides the system's error in a chain of causes. */
function findCoded(error: unknown): Coded | undefined {
  let current = error;
  for (let depth = 0; depth < 5 && typeof current === "object" && current !== null; depth++) {
    if ("code" in current && typeof current.code === "string") return current as Coded;
    current = "cause" in current ? current.cause : undefined;
  }
  return undefined;
}

/** The error that a status alone tells, or `undefined` when the body has more to say. */
export function errorFromStatus(answer: AnswerHead): TransportError | undefined {
  const { status } = answer;
  const said = `HTTP ${status}`;
  if (status === 401 || status === 403) {
    return restError(
      "unauthorized",
      `${said}: the token was refused (check UPSTASH_REDIS_REST_TOKEN: its database, no blank or newline around ` +
        "it; and the IP allowlist)",
      { delivery: "none" },
    );
  }
  if (status === 413) {
    return restError(
      "too-large",
      `${said}: the request is over the plan's size limit (lower maxValueBytes, or split it)`,
      {
        delivery: "none",
      },
    );
  }
  if (status === 414 || status === 431) {
    return restError("too-large", `${said}: the address of the request is too long (listen to fewer topics at once)`, {
      delivery: "none",
    });
  }
  if (status === 429) {
    const advice = "too many requests: slow down, or upgrade the plan";
    return restError("quota", `${said}: ${advice}`, { delivery: "none", ...retryAfter(answer) });
  }
  if (status >= 500)
    return restError("unreachable", `${said}: the server failed; it may be back soon`, retryAfter(answer));
  if (status === 0 || (status >= 300 && status < 400)) {
    return restError(
      "protocol",
      "The server redirects, which is not followed (check `url`: https, and no other page)",
      {
        delivery: "none",
      },
    );
  }
  if (status === 404 || status === 405) {
    return restError("protocol", `${said}: this is no Upstash REST API (check \`url\`)`, { delivery: "none" });
  }
  return undefined;
}

/** An answer came that is none: HTML from a proxy, half a JSON text, the wrong number of replies. */
export function notAnAnswer(answer: AnswerHead, text: string, why: string): TransportError {
  const type = answer.header("content-type")?.slice(0, 60) ?? "no content type";
  const got = `HTTP ${answer.status}, ${type}, ${text.length} characters`;
  return restError("protocol", `The answer is not what Upstash answers: ${why} (${got}; check \`url\` and any proxy)`);
}

const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Seconds, or a date; anything else says nothing. How much of it is believed is up to the error. */
function retryAfter(answer: AnswerHead): { retryAfterMs?: number } {
  const text = answer.header("retry-after")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return { retryAfterMs: Math.round(Number(text) * 1_000) };
  return httpDate.test(text) ? { retryAfterMs: Math.max(0, Date.parse(text) - Date.now()) } : {};
}

/** The same error when something of the trip had run already. */
export function nowUnknown(error: TransportError): TransportError {
  if (error.delivery === "unknown") return error;
  const { retryAfterMs } = error;
  return restError(error.kind, `${error.message} (an earlier part of this trip had run)`, {
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
