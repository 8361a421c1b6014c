import type { Background } from "./background.ts";
import { requestOf } from "./event-request.ts";
import { assertHttpEvent, clientOfEvent, type HttpEvent } from "./http-event.ts";
import { type HttpResult, resultOf } from "./response-result.ts";

/** Answers requests. */
export interface Answering {
  /** @param client - The address of the visitor. */
  fetch(request: Request, client: string): Response | Promise<Response>;
  readonly background: Background;
}

/** The part of an invocation's context that the handler uses. */
export interface Invocation {
  getRemainingTimeInMillis(): number;
}

/** Lambda calls it with each event. */
export type HttpHandler = (event: unknown, invocation: Invocation) => Promise<HttpResult>;

/** The time that sending the answer may take: a function that runs into its timeout answers nothing at all. */
const reserveMs = 250;

/**
 * Makes the handler. It answers an invalid HTTP request with 400, since that is no failure of the function.
 *
 * @throws TypeError for an event that is no HTTP event.
 */
export function createHandler({ fetch, background }: Answering): HttpHandler {
  return async (event, invocation) => {
    assertHttpEvent(event);
    const leftMs = (): number => Math.max(0, invocation.getRemainingTimeInMillis() - reserveMs);
    const request = readRequest(event);
    const response = request ? await inTime(fetch(request, clientOfEvent(event)), leftMs()) : malformed();
    const result = await resultOf(response, event);
    await background.done(leftMs());
    return result;
  };
}

function readRequest(event: HttpEvent): Request | undefined {
  try {
    return requestOf(event);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

async function inTime(answer: Response | Promise<Response>, leftMs: number): Promise<Response> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Response>((resolve) => {
    timer = setTimeout(() => resolve(Response.json({ error: "No answer in time: try again soon" }, tooLate)), leftMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

const fixed = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;
const tooLate = { status: 503, headers: { ...fixed, "retry-after": "1" } } as const;
const malformed = (): Response =>
  Response.json(
    { error: "Expected an HTTP request, got one with a malformed host, method or header" },
    { status: 400, headers: fixed },
  );
