import type { IncomingMessage } from "node:http";
import type { HttpRequest, HttpResponse } from "../http.ts";
import { LostRequest } from "../http-errors.ts";
import { createByteStore } from "./byte-store.ts";

/**
 * Sends a request by node:http(s), on a connection of its own, and resolves with the head of its answer: for streams.
 */
export async function streamRequest({ url, headers, body, signal }: HttpRequest): Promise<HttpResponse> {
  const { request: open } = await (url.startsWith("http:") ? import("node:http") : import("node:https"));
  return new Promise((resolve, reject) => {
    let unsent = true;
    const request = open(url, { method: "POST", headers: { ...headers }, signal, agent: false }, (message) =>
      resolve(answerOf(message)),
    );
    request.once("finish", () => {
      unsent = false;
    });
    request.on("error", (cause) => reject(new LostRequest({ unsent, cause })));
    request.end(body);
  });
}

function answerOf(message: IncomingMessage): HttpResponse {
  // A failure before the body is read must not be an uncaught exception; reading rejects with it.
  message.on("error", () => {});
  return {
    status: message.statusCode ?? 0,
    header(name) {
      const value = message.headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    async text(maxBytes) {
      const body = createByteStore();
      for await (const chunk of message as AsyncIterable<Buffer>) {
        if (body.length + chunk.length > maxBytes) return undefined;
        body.append(chunk);
      }
      return body.bytes().toString("utf8");
    },
    chunks: () => message,
  };
}
