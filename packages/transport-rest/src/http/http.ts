/** One POST to the REST API. */
export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** Cancels the request, and the answer that is being read. */
  readonly signal: AbortSignal;
  /**
   * Sending it twice does no harm, so it may be sent again when its connection turns out to be closed. Without it the
   * request may run at most once. Default `false`.
   */
  readonly repeatable?: boolean;
  /** The answer is read for as long as it comes, so its connection can't serve another request. Default `false`. */
  readonly streaming?: boolean;
}

/** An answer whose head has come; its body is still to be read, once. */
export interface HttpResponse {
  /** As the server sent it; redirects are not followed. `0` where a browser hides a redirect. */
  readonly status: number;
  header(name: string): string | undefined;
  /** The whole body as UTF-8, or `undefined` when it is longer than `maxBytes`: the rest is then dropped. */
  text(maxBytes: number): Promise<string | undefined>;
  /** The body piece by piece, as it comes. */
  chunks(): AsyncIterable<Uint8Array>;
}

/**
 * How requests leave this process. Implement it to send them through something else than `fetch`.
 *
 * `request` rejects with whatever the platform throws when no answer came; the transport sorts that.
 *
 * @example
 * ```ts
 * import { fetchHttp, type HttpClient } from "@continuum-cache/transport-rest";
 *
 * const counted = (count: () => void): HttpClient => {
 *   const http = fetchHttp();
 *   return { ...http, request: (request) => (count(), http.request(request)) };
 * };
 * ```
 */
export interface HttpClient {
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Gives connections back. Safe to call twice. */
  close(): void;
}
