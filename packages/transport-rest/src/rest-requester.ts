import { type Command, isCommandError, isTransportError } from "@continuum-cache/core";
import { callListener, isRepeatableTrip, onAbort } from "@continuum-cache/core/kit";
import type { Requester, UpstashRequest, UpstashResponse } from "@upstash/redis";
import type { Call, Calls } from "./calls.ts";
import { pathOf } from "./request/binary-body.ts";
import type { Endpoint } from "./request/endpoint.ts";
import { outcomesOf } from "./request/rest-reply.ts";
import type { SyncToken } from "./request/sync-token.ts";
import { restError } from "./rest-error.ts";
import { dataLines } from "./subscriptions/event-stream.ts";
import type { Streams } from "./subscriptions/streams.ts";

/** What it needs of its transport. */
export interface RequesterParts {
  readonly endpoint: Endpoint;
  readonly streams: Streams;
  readonly calls: Calls;
  readonly sync: SyncToken;
}

/**
 * The seam that the official client has for this: it builds commands and reads values, and its requests leave through
 * our HTTP layer. A refusal of Redis is thrown as a `CommandError`, no answer as a `TransportError`; neither repeats
 * the request's body, and nothing is sent twice.
 */
export function createRequester({ endpoint, streams, calls, sync }: RequesterParts): Requester {
  const request = async (request: UpstashRequest): Promise<unknown> => {
    const path = pathOf(request.path ?? []);
    if (path === undefined) {
      throw restError("protocol", "An empty name, `.` or `..` can't travel in a path", { delivery: "none" });
    }
    const options = request.signal ? { signal: request.signal } : undefined;
    return calls.run(options, async (call) => {
      if (request.isStreaming) return listen(request, path, call);
      const isList = path === "/pipeline" || path === "/multi-exec";
      const commands = (isList ? listed(request.body) : [request.body]).map(commandOf);
      const post = {
        path: path || "/",
        body: JSON.stringify(request.body),
        contentType: "application/json",
        isRepeatable: () => isRepeatableTrip(commands),
      };
      const outcomes = outcomesOf(await endpoint.post(post, call), isList ? "list" : "one", commands);
      if (!isList) {
        const [outcome] = outcomes;
        if (isCommandError(outcome) || isTransportError(outcome)) throw outcome;
        return { result: withoutBytes(outcome) };
      }
      // One refusal must not hide the other replies: the client throws it, or keeps it, as its caller asked.
      return outcomes.map((outcome) =>
        isCommandError(outcome) || isTransportError(outcome)
          ? { error: outcome.message }
          : { result: withoutBytes(outcome) },
      );
    });
  };

  /** The stream outlives the call that opened it: the client's signal ends it, and `close()`. */
  const listen = async ({ signal, onMessage }: UpstashRequest, path: string, call: Call) => {
    const life = new AbortController();
    const end = () => life.abort();
    const stopHearing = calls.onClose(end);
    const stopWithSignal = onAbort(signal, end);
    const release = () => {
      stopHearing();
      stopWithSignal();
    };
    call.signal.addEventListener("abort", end, { once: true });
    try {
      const chunks = await streams.open(path, call, life.signal);
      call.signal.removeEventListener("abort", end);
      const read = async () => {
        for await (const data of dataLines(chunks)) {
          if (life.signal.aborted) return;
          if (onMessage) callListener(() => onMessage(data));
        }
      };
      // The client has no event for a stream that ends or breaks. `transport.subscribe` tells.
      read()
        .catch(() => {})
        .finally(release);
      return { result: 1 };
    } catch (error) {
      release();
      throw error;
    }
  };

  return {
    request: request as <T>(request: UpstashRequest) => Promise<UpstashResponse<T>>,
    get upstashSyncToken(): string {
      return sync.current;
    },
    set upstashSyncToken(token) {
      // The client's own setter also passes `undefined`.
      sync.set(token ?? "");
    },
  };
}

const lossy = new TextDecoder("utf-8", { ignoreBOM: true });

/** A reply as the client expects it: it knows text only, so bytes that are none are replaced, as it does itself. */
function withoutBytes(reply: unknown): unknown {
  if (reply instanceof Uint8Array) return lossy.decode(reply);
  return Array.isArray(reply) ? reply.map(withoutBytes) : reply;
}

const listed = (body: unknown): readonly unknown[] => (Array.isArray(body) ? body : []);

/** A command of the client's, to be looked up in the table of commands: its arguments are whatever JSON can carry. */
function commandOf(words: unknown): Command {
  const [name, ...args] = listed(words);
  return [String(name), ...args.map((arg) => (typeof arg === "string" ? arg : String(JSON.stringify(arg))))];
}
