import { isCommandError, type TransportError } from "@continuum-cache/core";
import type { Call } from "./calls.ts";
import type { HttpClient, HttpResponse } from "./http/http.ts";
import { type PostReply, type PostRequest, postsThrough } from "./http/posts.ts";
import { type AnswerHead, errorFromNetwork, errorFromStatus, notAnAnswer, restError } from "./rest-error.ts";
import type { RestSettings } from "./rest-options.ts";
import { outcomesOf } from "./rest-reply.ts";
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
  /** Opens a stream of events; `streamSignal` ends it. @throws TransportError when the server does not stream. */
  stream(path: string, call: Call, streamSignal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

export function createEndpoint(settings: RestSettings, http: HttpClient, sync: SyncToken): Endpoint {
  const { baseUrl, origin, maxResponseBytes } = settings;
  const send = postsThrough(http);

  const networkError = (error: unknown): never => {
    throw errorFromNetwork(error, origin);
  };
  const tooLong = (): TransportError =>
    restError("too-large", `The answer is over ${maxResponseBytes} bytes (ask for less, or raise maxResponseBytes)`);

  /** @throws TransportError when the reply is too long, or its status says enough. */
  const answerOf = (reply: PostReply): Answer => {
    if (reply.text === undefined) throw tooLong();
    const error = errorFromStatus(reply);
    if (error) throw error;
    return reply as Answer;
  };

  const headersOf = (token: string, stamp: SyncStamp | undefined, contentType: string) => {
    const headers: Record<string, string> = {
      authorization: `Bearer ${token}`,
      "content-type": contentType,
      "upstash-encoding": "base64",
    };
    if (stamp) headers["upstash-sync-token"] = stamp.token;
    return headers;
  };

  const postOnce = <T>(post: Post, call: Call, token: string, read: (reply: PostReply) => T): Promise<T> => {
    call.assertOpen();
    const stamp = sync.next();
    const request: PostRequest = {
      url: baseUrl + post.path,
      headers: headersOf(token, stamp, post.contentType),
      body: post.body,
      maxBodyBytes: maxResponseBytes,
      isRepeatable: post.isRepeatable,
      leaves: call.leaves,
      onCancel: call.onEnd,
      get signal() {
        return call.signal;
      },
    };
    return send(request).then((reply) => {
      stamp?.saw(reply.header("upstash-sync-token"));
      return read(reply);
    }, networkError);
  };

  /** A token that a function gives may have been renewed since: where it is refused, the function is asked once more. */
  const postWithToken = async (post: Post, call: Call): Promise<Answer> => {
    const token = await currentToken(settings.token);
    const reply = await postOnce(post, call, token, (first) => first);
    if (reply.status !== 401) return answerOf(reply);
    const renewed = await currentToken(settings.token);
    // Nothing ran on a 401.
    return renewed === token ? answerOf(reply) : postOnce(post, call, renewed, answerOf);
  };

  /** Runs a part of a stream's beginning; what it throws becomes one of ours. */
  const heard = async <T>(part: () => Promise<T>): Promise<T> => {
    try {
      return await part();
    } catch (error) {
      return networkError(error);
    }
  };

  const textOf = async (response: HttpResponse): Promise<string> => {
    const text = await heard(() => response.text(maxResponseBytes));
    if (text === undefined) throw tooLong();
    return text;
  };

  const open = async (path: string, call: Call, signal: AbortSignal): Promise<HttpResponse> => {
    const once = async (token: string): Promise<HttpResponse> => {
      call.assertOpen();
      call.leaves();
      const stamp = sync.next();
      const { "upstash-encoding": _, ...headers } = headersOf(token, stamp, "application/json");
      const url = baseUrl + path;
      const all = { ...headers, accept: "text/event-stream" };
      const response = await heard(() =>
        http.request({ url, headers: all, body: "", signal, repeatable: true, streaming: true }),
      );
      stamp?.saw(response.header("upstash-sync-token"));
      return response;
    };
    const token = await currentToken(settings.token);
    const response = await once(token);
    if (response.status !== 401 || typeof settings.token === "string") return response;
    const renewed = await currentToken(settings.token);
    if (renewed === token) return response;
    // Its body is read so that the connection can serve again.
    await textOf(response);
    return once(renewed);
  };

  return {
    post(post, call) {
      const { token } = settings;
      return typeof token === "string" ? postOnce(post, call, token, answerOf) : postWithToken(post, call);
    },
    async stream(path, call, streamSignal) {
      const response = await open(path, call, streamSignal);
      if (response.status === 200 && response.header("content-type")?.startsWith("text/event-stream")) {
        return response.chunks();
      }
      const text = await textOf(response);
      throw errorFromStatus(response) ?? streamRefusal({ status: response.status, header: response.header, text });
    },
  };
}

/** Why there is no stream. Only what Redis itself has said is about the topics, and not about the server. */
function streamRefusal(answer: Answer): TransportError {
  const [said] = outcomesOf(answer, "one", [["SUBSCRIBE"]]);
  if (!isCommandError(said)) return notAnAnswer(answer, answer.text, "no stream of events");
  const isForbidden = said.message.startsWith("NOPERM");
  const mend = isForbidden
    ? "listen with the standard token, or give its user an ACL rule such as &app:*"
    : "look at the topics";
  return restError(isForbidden ? "unauthorized" : "protocol", `${said.message} (${mend})`, { delivery: "none" });
}

async function currentToken(token: RestSettings["token"]): Promise<string> {
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
