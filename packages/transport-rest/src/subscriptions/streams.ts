import { isCommandError, type TransportError } from "@continuum-cache/core";
import type { Call } from "../calls.ts";
import type { HttpClient, HttpResponse } from "../http/http.ts";
import { type Answer, currentToken, headersOf, tooLongError } from "../request/endpoint.ts";
import { outcomesOf } from "../request/rest-reply.ts";
import type { SyncToken } from "../request/sync-token.ts";
import { errorFromNetwork, errorFromStatus, notAnAnswer, restError } from "../rest-error.ts";
import type { RestSettings } from "../rest-options.ts";

/** The part of the REST API that streams. */
export interface Streams {
  /** Opens a stream of events; `streamSignal` ends it. @throws TransportError when the server does not stream. */
  open(path: string, call: Call, streamSignal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

export function createStreams(settings: RestSettings, http: HttpClient, sync: SyncToken): Streams {
  const { baseUrl, origin, maxResponseBytes } = settings;

  /** Runs a part of a stream's beginning; what it throws becomes one of ours. */
  const heard = async <T>(part: () => Promise<T>): Promise<T> => {
    try {
      return await part();
    } catch (error) {
      throw errorFromNetwork(error, origin);
    }
  };

  const textOf = async (response: HttpResponse): Promise<string> => {
    const text = await heard(() => response.text(maxResponseBytes));
    if (text === undefined) throw tooLongError(maxResponseBytes);
    return text;
  };

  const request = async (path: string, call: Call, signal: AbortSignal): Promise<HttpResponse> => {
    const once = async (token: string): Promise<HttpResponse> => {
      if (call.over) throw call.over;
      call.markSent();
      const stamp = sync.next();
      const headers = { ...headersOf(token, stamp, "application/json"), accept: "text/event-stream" };
      const url = baseUrl + path;
      const response = await heard(() =>
        http.request({ url, headers, body: "", signal, repeatable: true, streaming: true }),
      );
      stamp?.update(response.header("upstash-sync-token"));
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
    async open(path, call, streamSignal) {
      const response = await request(path, call, streamSignal);
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
  const advice = isForbidden
    ? "listen with the standard token, or give its user an ACL rule such as &app:*"
    : "look at the topics";
  return restError(isForbidden ? "unauthorized" : "protocol", `${said.message} (${advice})`, { delivery: "none" });
}
