import { isCommandError, type TransportError } from "@continuum-cache/core";
import type { Call } from "./calls.ts";
import type { HttpClient, HttpResponse } from "./http/http.ts";
import { type AnswerHead, errorFromNetwork, errorFromStatus, notAnAnswer, restError } from "./rest-error.ts";
import type { RestSettings } from "./rest-options.ts";
import { outcomesOf } from "./rest-reply.ts";
import type { SyncToken } from "./sync-token.ts";

/** What a request carries. */
export interface Payload {
  /** Escaped, with a slash in front: `/pipeline`. */
  readonly path: string;
  readonly body: string | Uint8Array;
  readonly contentType: string;
}

/** One request, before the headers that all of them share. */
export interface Post extends Payload {
  /** Sending it twice does no harm. */
  readonly repeatable: boolean;
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

  /** Runs a part of the exchange; what it throws becomes one of ours. */
  const heard = async <T>(part: Promise<T>): Promise<T> => {
    try {
      return await part;
    } catch (error) {
      throw errorFromNetwork(error, origin);
    }
  };

  const textOf = async (response: HttpResponse): Promise<string> => {
    const text = await heard(response.text(maxResponseBytes));
    if (text !== undefined) return text;
    throw restError(
      "too-large",
      `The answer is over ${maxResponseBytes} bytes (ask for less, or raise maxResponseBytes)`,
    );
  };

  const exchange = async (request: { post: Post; accept?: string; signal: AbortSignal }, call: Call) => {
    const { post, accept, signal } = request;
    const once = async (token: string): Promise<HttpResponse> => {
      call.leaves();
      const stamp = sync.next();
      const response = await heard(
        http.request({
          url: baseUrl + post.path,
          headers: {
            authorization: `Bearer ${token}`,
            "content-type": post.contentType,
            ...(accept ? { accept } : { "upstash-encoding": "base64" }),
            ...(stamp && { "upstash-sync-token": stamp.token }),
          },
          body: post.body,
          signal,
          repeatable: post.repeatable,
          ...(accept && { streaming: true }),
        }),
      );
      stamp?.saw(response.header("upstash-sync-token"));
      return response;
    };
    const token = await currentToken(settings.token);
    const response = await once(token);
    if (response.status !== 401 || typeof settings.token === "string") return response;
    const renewed = await currentToken(settings.token);
    if (renewed === token) return response;
    // Nothing ran on a 401. Its body is read so that the connection can serve again.
    await textOf(response);
    return once(renewed);
  };

  return {
    async post(post, call) {
      const response = await exchange({ post, signal: call.signal }, call);
      const text = await textOf(response);
      const error = errorFromStatus(response);
      if (error) throw error;
      return { status: response.status, header: response.header, text };
    },
    async stream(path, call, streamSignal) {
      const post = { path, body: "", contentType: "application/json", repeatable: true };
      const response = await exchange({ post, accept: "text/event-stream", signal: streamSignal }, call);
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
