import {
  type CallOptions,
  isTransportError,
  type MessageListener,
  type Subscription,
  type Topics,
  tell,
} from "@continuum-cache/core";
import { pathOf } from "./binary-body.ts";
import { type Call, type Calls, closedError } from "./calls.ts";
import type { Endpoint } from "./endpoint.ts";
import { dataLines } from "./event-stream.ts";
import { readFrame } from "./pubsub-frame.ts";
import { errorFromNetwork, restError } from "./rest-error.ts";

/** What a subscription needs of its transport. */
export interface SubscriberHost {
  readonly endpoint: Endpoint;
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
 * Listens through server-sent events: one stream for the channels, one for the patterns. Such an event is a line of text, so
 * a message that holds a line break or invalid UTF-8 does not arrive as it was.
 */
export async function subscribeByRest(
  { endpoint, calls, origin }: SubscriberHost,
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
    if (confirmed && error) tell(() => listener.interrupted(ours(error)));
  };
  const release = calls.onClose(() => end(closedError("unknown")));
  const ours = (error: unknown) => (isTransportError(error) ? error : errorFromNetwork(error, origin));

  /** Resolves when the server has confirmed each name; reading goes on until the stream or the subscription ends. */
  const listen = async ({ verb, names, path }: Listening, call: Call): Promise<void> => {
    const chunks = await endpoint.stream(path, call, life.signal);
    const unconfirmed = new Set(names);
    await new Promise<void>((resolve, reject) => {
      const read = async () => {
        for await (const line of dataLines(chunks)) {
          if (life.signal.aborted) return;
          const frame = readFrame(line, verb, names);
          if (frame && "confirms" in frame) unconfirmed.delete(frame.confirms);
          else if (frame) tell(() => listener.message(frame));
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
    // It may have broken between the confirmation and this line, with nobody told yet.
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

function listeningsOf({ channels = [], patterns = [] }: Topics): Listening[] {
  const wanted = [
    { verb: "subscribe", names: channels },
    { verb: "psubscribe", names: patterns },
  ] as const;
  const listenings = wanted
    .filter(({ names }) => names.length > 0)
    .map(({ verb, names }) => {
      const path = pathOf([verb, ...names]);
      if (path !== undefined && !names.some((name) => /[\r\n]/.test(name))) return { verb, names, path };
      throw restError(
        "protocol",
        'Over REST a channel can\'t be named "", "." or "..", nor hold a line break (rename it, or use the Redis protocol)',
        { delivery: "none" },
      );
    });
  if (listenings.length > 0) return listenings;
  throw restError("protocol", "Expected at least one channel or pattern to listen to", { delivery: "none" });
}
