import type { TransportError } from "@continuum-cache/core";
import type { Call } from "../calls.ts";
import type { HttpClient } from "../http/http.ts";
import { type PostReply, type PostRequest, postsThrough } from "../http/posts.ts";
import { type AnswerHead, errorFromNetwork, errorFromStatus, restError } from "../rest-error.ts";
import type { RestSettings } from "../rest-options.ts";
import type { SyncStamp, SyncToken } from "./sync-token.ts";

/** What a request carries. */
export interface Payload {
  /** Escaped, with a slash in front: `/pipeline`. */
  readonly path: string;
  readonly body: string | Uint8Array;
  readonly contentType: string;
}

/** One request, before the headers that all of them share. */
export interface Post extends Payload {
  /** Whether sending it twice does no harm; asked only where it matters. */
  isRepeatable(): boolean;
}

/** A whole answer. */
export interface Answer extends AnswerHead {
  readonly text: string;
}

/** The REST API of one database: what the waist and the official client share. */
export interface Endpoint {
  /** Sends a request and reads its answer. @throws TransportError when none came, or the status says enough. */
  post(post: Post, call: Call): Promise<Answer>;
}

export function createEndpoint(settings: RestSettings, http: HttpClient, sync: SyncToken): Endpoint {
  const { baseUrl, origin, maxResponseBytes } = settings;
  const send = postsThrough(http);

  const networkError = (error: unknown): never => {
    throw errorFromNetwork(error, origin);
  };

  /** @throws TransportError when the reply is too long, or its status says enough. */
  const answerOf = (reply: PostReply): Answer => {
    if (reply.text === undefined) throw tooLongError(maxResponseBytes);
    const error = errorFromStatus(reply);
    if (error) throw error;
    return reply as Answer;
  };

  const postOnce = <T>(post: Post, call: Call, token: string, read: (reply: PostReply) => T): Promise<T> => {
    if (call.over) throw call.over;
    const stamp = sync.next();
    const headers = headersOf(token, stamp, post.contentType);
    headers["upstash-encoding"] = "base64";
    const request: PostRequest = {
      url: baseUrl + post.path,
      headers,
      body: post.body,
      maxBodyBytes: maxResponseBytes,
      isRepeatable: post.isRepeatable,
      call,
    };
    return send(request).then((reply) => {
      stamp?.update(reply.header("upstash-sync-token"));
      return read(reply);
    }, networkError);
  };

  /**
   * A token that a function gives may have been renewed since: where it is refused, the function is asked once more.
   */
  const postWithToken = async (post: Post, call: Call): Promise<Answer> => {
    const token = await currentToken(settings.token);
    const reply = await postOnce(post, call, token, (first) => first);
    if (reply.status !== 401) return answerOf(reply);
    const renewed = await currentToken(settings.token);
    // Nothing ran on a 401.
    return renewed === token ? answerOf(reply) : postOnce(post, call, renewed, answerOf);
  };

  return {
    post(post, call) {
      const { token } = settings;
      return typeof token === "string" ? postOnce(post, call, token, answerOf) : postWithToken(post, call);
    },
  };
}

/** The headers that all requests share. */
export function headersOf(token: string, stamp: SyncStamp | undefined, contentType: string): Record<string, string> {
  const headers: Record<string, string> = { authorization: `Bearer ${token}`, "content-type": contentType };
  if (stamp) headers["upstash-sync-token"] = stamp.token;
  return headers;
}

export const tooLongError = (maxBytes: number): TransportError =>
  restError("too-large", `The answer is over ${maxBytes} bytes (ask for less, or raise maxResponseBytes)`);

/** @throws TransportError when the function that gives the token fails, or gives none. */
export async function currentToken(token: RestSettings["token"]): Promise<string> {
  if (typeof token === "string") return token;
  let current: unknown;
  try {
    current = await token();
  } catch (cause) {
    throw restError("unauthorized", "The function given as `token` failed", { delivery: "none", cause });
  }
  if (typeof current === "string" && /^[\x21-\x7e]+$/.test(current)) return current;
  throw restError(
    "unauthorized",
    `The function given as \`token\` returned no token (${typeof current}; look for a blank or newline around it)`,
    { delivery: "none" },
  );
}
