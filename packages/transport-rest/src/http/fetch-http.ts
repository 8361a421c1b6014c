import type { HttpClient, HttpResponse } from "./http.ts";

/** The part of `fetch` that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * Requests through `fetch`: the global one, looked up at each call, or your own.
 *
 * @example
 * ```ts
 * import { fetchHttp, restTransport } from "@continuum-cache/transport-rest";
 *
 * const transport = restTransport({ url: "https://db.upstash.io", token: "…", http: fetchHttp() });
 * ```
 */
export function fetchHttp(custom?: Fetch): HttpClient {
  return {
    async request({ url, headers, body, signal }) {
      const init: RequestInit = {
        method: "POST",
        headers,
        body: body as BodyInit,
        signal,
        redirect: "manual",
        // A framework that patches `fetch` keeps the answer even to a POST: Next.js 14 for a year.
        ...(knowsNoStore() && { cache: "no-store" }),
      };
      return answerOf(await (custom ? custom(url, init) : globalThis.fetch(url, init)));
    },
    close() {},
  };
}

let noStoreIsKnown: boolean | undefined;

/**
 * Whether this platform takes `cache: "no-store"`: Workers of a compatibility date before November 2024 throw on it.
 */
function knowsNoStore(): boolean {
  noStoreIsKnown ??= takes({ cache: "no-store" });
  return noStoreIsKnown;
}

function takes(init: RequestInit): boolean {
  try {
    return new Request("http://localhost/", init) instanceof Request;
  } catch {
    // The platform has said no; requests then leave without.
    return false;
  }
}

/** The HTTP client when the options name none. */
export const defaultHttp = (): HttpClient => fetchHttp();

function answerOf(response: Response): HttpResponse {
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    text(maxBytes) {
      const length = Number(response.headers.get("content-length") ?? Number.NaN);
      // A compressed body says its compressed length, which bounds nothing.
      const isBounded = length <= maxBytes && !response.headers.has("content-encoding");
      return isBounded ? response.text() : boundedText(response, maxBytes);
    },
    chunks: () => chunksOf(response),
  };
}

async function boundedText(response: Response, maxBytes: number): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of chunksOf(response)) {
    size += chunk.length;
    if (size > maxBytes) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // A body that failed can't be cancelled; there is nothing left to give back.
    reader.cancel().catch(() => {});
  }
}
