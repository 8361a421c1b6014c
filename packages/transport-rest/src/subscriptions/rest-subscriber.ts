import {
  type CallOptions,
  isTransportError,
  type MessageListener,
  type Subscription,
  type Topics,
} from "@continuum-cache/core";
import { callListener, closedError } from "@continuum-cache/core/kit";
import type { Call, Calls } from "../calls.ts";
import { pathOf } from "../request/binary-body.ts";
import { errorFromNetwork, restError, restName } from "../rest-error.ts";
import { dataLines } from "./event-stream.ts";
import { createFrameReader } from "./pubsub-frame.ts";
import type { Streams } from "./streams.ts";

/** What a subscription needs of its transport. */
export interface SubscriberHost {
  readonly streams: Streams;
  readonly calls: Calls;
  /** For error messages. */
  readonly origin: string;
}

/** One stream of events: channels, or patterns. */
interface Listening {
  readonly verb: "subscribe" | "psubscribe";
  readonly names: readonly string[];
  readonly path: string;
}

/**
 * How much names may take in the address of one stream and be sure to arrive: common servers and proxies stop at 8 KB
 * for a request line, most of them with its headers.
 */
export const maxTopicBytes = 7_500;

/**
 * Node's own servers refuse more than 16 KB with all headers. One name alone may take up to here: the longest,
 * escaped byte by byte.
 */
const maxPathBytes = 14_000;

/**
 * Listens through server-sent events: one stream for the channels, one for the patterns. Such an event is a line of
 * text, so a message that holds a line break or invalid UTF-8 does not arrive as it was.
 */
export async function subscribeByRest(
  { streams, calls, origin }: SubscriberHost,
  topics: Topics,
  listener: MessageListener,
  options?: CallOptions,
): Promise<Subscription> {
  const listenings = listeningsOf(topics);
  const life = new AbortController();
  let confirmed = false;

  const end = (error?: unknown) => {
    if (life.signal.aborted) return;
    life.abort(error);
    release();
    if (confirmed && error) callListener(() => listener.interrupted(ours(error)));
  };
  const release = calls.onClose(() => end(closedError(restName, "transport", "unknown")));
  const ours = (error: unknown) => (isTransportError(error) ? error : errorFromNetwork(error, origin));

  /** Resolves when the server has confirmed each name; reading goes on until the stream or the subscription ends. */
  const listen = async ({ verb, names, path }: Listening, call: Call): Promise<void> => {
    const chunks = await streams.open(path, call, life.signal);
    const unconfirmed = new Set(names);
    const readFrame = createFrameReader(verb, names);
    await new Promise<void>((resolve, reject) => {
      const read = async () => {
        for await (const line of dataLines(chunks)) {
          if (life.signal.aborted) return;
          const frame = readFrame(line);
          if (frame && "confirms" in frame) unconfirmed.delete(frame.confirms);
          else if (frame) callListener(() => listener.message(frame));
          if (unconfirmed.size === 0) resolve();
        }
        throw restError("unreachable", "The server ended the stream of messages");
      };
      read().catch((error) => {
        reject(ours(error));
        end(error);
      });
    });
  };

  try {
    await calls.run(options, (call) => {
      call.signal.addEventListener("abort", () => end(), { once: true });
      return Promise.all(listenings.map((listening) => listen(listening, call)));
    });
    // It may have broken between the confirmation and this line, before the listener could be called.
    if (life.signal.aborted) throw ours(life.signal.reason);
  } catch (error) {
    end();
    throw error;
  }
  confirmed = true;
  return {
    async close() {
      end();
    },
  };
}

/** @throws TransportError before anything is sent, when the names can't travel in an address. */
function listeningsOf({ channels = [], patterns = [] }: Topics): Listening[] {
  const wanted = [
    { verb: "subscribe", names: [...new Set(channels)] },
    { verb: "psubscribe", names: [...new Set(patterns)] },
  ] as const;
  const listenings = wanted.filter(({ names }) => names.length > 0).map((one) => ({ ...one, path: pathFor(one) }));
  if (listenings.length > 0) return listenings;
  throw restError("protocol", "Expected at least one channel or pattern to listen to", { delivery: "none" });
}

function pathFor({ verb, names }: Pick<Listening, "verb" | "names">): string {
  const path = pathOf([verb, ...names]);
  if (path === undefined || names.some((name) => /[\r\n]/.test(name))) {
    throw restError(
      "protocol",
      'Over REST a channel can\'t be named "", "." or "..", nor hold a line break (rename it, or use the Redis ' +
        "protocol)",
      { delivery: "none" },
    );
  }
  if (path.length <= maxPathBytes) return path;
  throw restError(
    "too-large",
    `The names of ${names.length} topic(s) take ${path.length} bytes in the address of a stream, which may take ` +
      `${maxPathBytes} (listen through several subscriptions, of at most ${maxTopicBytes} bytes each)`,
    { delivery: "none" },
  );
}
