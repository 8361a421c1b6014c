import {
  type CallOptions,
  isTransportError,
  type Message,
  type MessageListener,
  type Subscription,
  type Topics,
  TransportError,
} from "@continuum-cache/core";
import { callListener, closedError, withDeadline } from "@continuum-cache/core/kit";
import type { Redis } from "ioredis";
import { toReply } from "../protocol/client-reply.ts";
import { divideReplies } from "../protocol/direct-replies.ts";
import { isWithoutCommand } from "../protocol/intercepted-data.ts";
import type { Slot } from "../protocol/replies.ts";
import type { ReplySink } from "../protocol/watched-replies.ts";
import { connectionError, impossibleError, isRefusal, type ServerAddress, transportName } from "../tcp-error.ts";
import { createSubscribedTopics, type SubscribedTopics } from "./subscribed-topics.ts";

/** What a subscription is made of. */
export interface SubscriberParts extends ServerAddress {
  /** Makes an unconnected client for this subscription alone. */
  readonly makeClient: () => Redis;
  readonly topics: Topics;
  readonly listener: MessageListener;
  /** It has ended, and the listener is told why. */
  readonly onInterrupted: () => void;
  readonly options: CallOptions;
}

/** On this transport a stream can always grow and shrink. */
export interface TcpSubscription extends Required<Pick<Subscription, "add" | "remove" | "close">> {
  /** Ends the connection and tells the listener why. */
  interrupt(error: TransportError): void;
}

/** The connection of one subscription. */
interface SubscriberConnection {
  readonly client: Redis;
  readonly subscribed: SubscribedTopics;
  readonly server: ServerAddress;
  phase: "connecting" | "listening" | "broken" | "closed";
  /** What the connection itself has said last. */
  lastError: Error | undefined;
}

/**
 * Listens on a connection of its own and resolves once the server has confirmed every topic.
 *
 * @throws TransportError when it could not; the connection is given back then.
 * @throws RangeError when there is nothing to listen to.
 */
export async function subscribe({
  makeClient,
  topics,
  listener,
  onInterrupted,
  options,
  ...server
}: SubscriberParts): Promise<TcpSubscription> {
  if (!topics.channels?.length && !topics.patterns?.length) {
    throw new RangeError("Expected at least one channel or pattern to listen to, got none");
  }
  const client = makeClient();
  const subscribed = createSubscribedTopics(client);
  const connection: SubscriberConnection = { client, subscribed, server, phase: "connecting", lastError: undefined };
  client.on("error", (error: Error) => {
    if (!isWithoutCommand(error)) connection.lastError = error;
  });
  const interrupt = (error: TransportError): void => {
    if (connection.phase !== "listening") return;
    connection.phase = "broken";
    drop(client);
    onInterrupted();
    listener.interrupted(error);
  };
  client.on("end", () => interrupt(connectionError(connection.lastError, server, "unknown")));
  deliverMessages(connection, listener);

  try {
    await withDeadline(transportName, options, async () => {
      await client.connect();
      await subscribed.add(topics).confirmed;
    });
  } catch (error) {
    end(connection);
    throw isTransportError(error) ? error : subscribeError(error as Error, connection, "none");
  }
  // The connection may have broken in the moment after the last confirmation.
  if (client.status !== "ready") {
    end(connection);
    throw connectionError(connection.lastError, server, "unknown");
  }
  connection.phase = "listening";
  return subscriptionOn(connection, interrupt);
}

const isOpen = ({ phase }: SubscriberConnection): boolean => phase === "connecting" || phase === "listening";

function drop(client: Redis): void {
  // Of a connection that has ended ioredis would wait for the end once more, with a timer of 2 s.
  if (client.status === "end") return;
  client.disconnect();
  client.stream?.destroy();
}

function end(connection: SubscriberConnection): void {
  connection.phase = "closed";
  drop(connection.client);
}

/** Calls the listener for each message on the connection. */
function deliverMessages(connection: SubscriberConnection, listener: MessageListener): void {
  const { client, subscribed, server } = connection;
  const deliver = (message: Message): void => {
    if (!isOpen(connection)) return;
    const { pattern, channel } = message;
    const isWanted = pattern === undefined ? subscribed.hasChannel(channel) : subscribed.hasPattern(pattern);
    // A message of a topic that was removed may still be on its way.
    if (!isWanted) return;
    try {
      listener.message(message);
    } catch (error) {
      callListener(() => {
        throw error;
      });
    }
  };
  const onProblem = (problem: string): void => {
    connection.lastError = impossibleError("protocol", problem, server);
    client.stream?.destroy();
  };
  const messages: ReplySink = {
    errorDepth: 0,
    take(reply) {
      const message = toMessage(reply);
      if (message) deliver(message);
      else onProblem("a message that is none");
    },
  };
  divideReplies(client, { claim: (chunk, at) => (isMessage(chunk, at) ? messages : undefined), onProblem });
  // The parser of ioredis reads those whose beginning was not all there.
  client.on("messageBuffer", (name: Buffer, data: Buffer) =>
    deliver({ channel: name.toString("utf8"), data: payload(data) }),
  );
  client.on("pmessageBuffer", (pattern: string, channel: Buffer, data: Buffer) =>
    deliver({ channel: channel.toString("utf8"), pattern, data: payload(data) }),
  );
}

/** The subscription on a connection that listens. */
function subscriptionOn(connection: SubscriberConnection, interrupt: TcpSubscription["interrupt"]): TcpSubscription {
  const { client, subscribed, server } = connection;

  /** Why a change was not confirmed. */
  const changeError = (error: Error): TransportError => {
    if (connection.phase === "closed") return closedError(transportName, "subscription", "unknown");
    return isTransportError(error) ? error : subscribeError(error, connection, "unknown");
  };

  return {
    async add(more, callOptions) {
      if (connection.phase === "closed") throw closedError(transportName, "subscription");
      if (connection.phase === "broken") throw connectionError(connection.lastError, server, "none");
      await withDeadline(transportName, callOptions, async (signal) => {
        const addition = subscribed.add(more);
        // The call has rejected by then, and what arrives later must find nothing to add to.
        signal.addEventListener("abort", addition.takeBack, { once: true });
        try {
          await addition.confirmed;
        } catch (error) {
          addition.takeBack();
          throw error;
        }
      }).catch((error) => {
        throw changeError(error);
      });
    },
    async remove(less, callOptions) {
      if (connection.phase !== "listening") return;
      await withDeadline(transportName, callOptions, () => subscribed.remove(less)).catch((error) => {
        // A connection that is over listens to nothing.
        if (connection.phase === "listening" && client.status === "ready") throw changeError(error);
      });
    },
    interrupt,
    async close() {
      if (!isOpen(connection)) return;
      const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
      end(connection);
      await ended;
    },
  };
}

const payload = (data: Buffer): string | Uint8Array => toReply(data) as string | Uint8Array;

/** What the connection itself has said tells more than that it is closed. */
function subscribeError(
  error: Error,
  { lastError, server }: SubscriberConnection,
  delivery: "none" | "unknown",
): TransportError {
  const told = isRefusal(error) ? error : (lastError ?? error);
  if (isRefusal(told) && told.message.startsWith("NOPERM")) {
    return new TransportError("unauthorized", `${told.message} (the user's ACL needs a rule such as &app:*)`, {
      transport: transportName,
      delivery: "none",
    });
  }
  return connectionError(told, server, delivery);
}

const [messageStart, patternMessageStart] = [
  Buffer.from("*3\r\n$7\r\nmessage\r\n"),
  Buffer.from("*4\r\n$8\r\npmessage\r\n"),
] as const;

/** Whether a message begins there, as far as the chunk tells. */
const isMessage = (chunk: Buffer, at: number): boolean =>
  startsWith(chunk, at, messageStart) || startsWith(chunk, at, patternMessageStart);

function startsWith(chunk: Buffer, at: number, beginning: Buffer): boolean {
  for (let byte = 0; byte < beginning.length; byte++) if (chunk[at + byte] !== beginning[byte]) return false;
  return true;
}

/** The message that a reply is: its kind, the pattern if there is one, the channel and the payload. */
function toMessage(reply: Slot): Message | undefined {
  const parts = reply as readonly Slot[];
  const data = parts[parts.length - 1];
  const channel = toName(parts[parts.length - 2]);
  if (channel === undefined || !(typeof data === "string" || data instanceof Uint8Array)) return undefined;
  if (parts.length === 3) return { channel, data };
  const pattern = toName(parts[1]);
  return pattern === undefined ? undefined : { channel, pattern, data };
}

/** Names are text: what is no UTF-8 in them is replaced. */
function toName(part: Slot | undefined): string | undefined {
  if (typeof part === "string") return part;
  return part instanceof Uint8Array ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(part) : undefined;
}
