import type { HttpClient } from "./http.ts";

/** A request whose reply is read as a whole. */
export interface PostRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** A reply with a longer body is read no further. */
  readonly maxBodyBytes: number;
  /** Whether sending it twice does no harm. */
  isRepeatable(): boolean;
  readonly call: EndingCall;
}

/** The call that a request is sent for: it may end before the reply has come. */
export interface EndingCall {
  /**
   * To be called when it begins to wait for a connection; what it returns, when it is given one. If time is up before
   * that, or soon after, that speaks against the server only if no other request was answered meanwhile.
   */
  startWaiting(answersCame: () => boolean): () => void;
  /** To be called in the turn of the event loop in which it leaves: until then the server surely has not run it. */
  markSent(): void;
  /** Calls the listener then. The latest listener of a call is the one that counts. */
  onEnd(listener: (reason: unknown) => void): void;
  /** The same as a signal. It is made when it is first asked for. */
  readonly signal: AbortSignal;
}

/** A whole reply. */
export interface PostReply {
  readonly status: number;
  header(name: string): string | undefined;
  /** The body as UTF-8, or `undefined` when it is longer than `maxBodyBytes`. */
  readonly text: string | undefined;
}

/** Sends a request and reads its reply. Rejects with whatever the platform throws when none came. */
export type SendPost = (request: PostRequest) => Promise<PostReply>;

/** The member of an HTTP client that reads whole replies by itself, in fewer steps than `request` and `text` take. */
export const sendPost: unique symbol = Symbol("sendPost");

/** An HTTP client that reads whole replies by itself. */
export interface PostingClient extends HttpClient {
  readonly [sendPost]: SendPost;
}

/** How a client sends posts: in its own way, or by `request`. */
export function postsThrough(http: HttpClient): SendPost {
  return (http as Partial<PostingClient>)[sendPost] ?? ((request) => postByRequest(http, request));
}

async function postByRequest(http: HttpClient, request: PostRequest): Promise<PostReply> {
  const { url, headers, body, call } = request;
  const { signal } = call;
  call.markSent();
  const response = await http.request({
    url,
    headers,
    body,
    signal,
    get repeatable() {
      return request.isRepeatable();
    },
  });
  const text = await response.text(request.maxBodyBytes);
  return { status: response.status, header: (name) => response.header(name), text };
}
