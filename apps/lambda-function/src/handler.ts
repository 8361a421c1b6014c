import type { Background } from "./background.ts";
import { requestOf } from "./event-request.ts";
import { assertHttpEvent, clientOfEvent } from "./http-event.ts";
import { type HttpResult, resultOf } from "./response-result.ts";

/** What answers requests. */
export interface Answering {
  /** @param client - The address that asks. */
  fetch(request: Request, client: string): Response | Promise<Response>;
  readonly background: Background;
}

/** What is needed of an invocation's context. */
export interface Invocation {
  getRemainingTimeInMillis(): number;
}

/** What Lambda calls. */
export type HttpHandler = (event: unknown, invocation: Invocation) => Promise<HttpResult>;

/** The time that sending the answer may take: a function that runs into its timeout answers nothing at all. */
const reserveMs = 250;

/** @throws TypeError for what is no HTTP event. */
export function createHandler({ fetch, background }: Answering): HttpHandler {
  return async (event, invocation) => {
    assertHttpEvent(event);
    const leftMs = (): number => Math.max(0, invocation.getRemainingTimeInMillis() - reserveMs);
    const response = await inTime(fetch(requestOf(event), clientOfEvent(event)), leftMs());
    const result = await resultOf(response, event);
    await background.done(leftMs());
    return result;
  };
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

const tooLate = { status: 503, headers: { "retry-after": "1", "cache-control": "no-store" } } as const;
