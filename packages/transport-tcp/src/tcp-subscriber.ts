import {
  type CallOptions,
  isTransportError,
  type Message,
  type MessageListener,
  type Subscription,
  type Topics,
  TransportError,
  withDeadline,
} from "@continuum-cache/core";
import type { Redis } from "ioredis";
import { toReply } from "./reply.ts";
import { connectionError, isRefusal, type Place, transportName } from "./tcp-error.ts";

/** What a subscription is made of. */
export interface SubscriberParts extends Place {
  /** Makes an unconnected client for this subscription alone. */
  readonly makeClient: () => Redis;
  readonly topics: Topics;
  readonly listener: MessageListener;
  readonly options: CallOptions;
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
  options,
  ...place
}: SubscriberParts): Promise<Subscription> {
  const channels = [...new Set(topics.channels)];
  const patterns = [...new Set(topics.patterns)];
  if (channels.length + patterns.length === 0) {
    throw new RangeError("Expected at least one channel or pattern to listen to, got none");
  }
  const client = makeClient();
  let phase: "connecting" | "listening" | "over" = "connecting";
  let lastError: Error | undefined;
  const end = (): void => {
    phase = "over";
    client.disconnect();
    client.stream?.destroy();
  };
  client.on("error", (error: Error) => {
    lastError = error;
  });
  client.on("end", () => {
    if (phase !== "listening") return;
    phase = "over";
    listener.interrupted(connectionError(lastError, place, "unknown"));
  });
  const hear = (message: Message): void => {
    if (phase !== "over") listener.message(message);
  };
  client.on("messageBuffer", (channel: Buffer, data: Buffer) => {
    hear({ channel: channel.toString("utf8"), data: payload(data) });
  });
  client.on("pmessageBuffer", (pattern: string, channel: Buffer, data: Buffer) => {
    hear({ channel: channel.toString("utf8"), pattern, data: payload(data) });
  });

  try {
    await withDeadline(transportName, options, async () => {
      await client.connect();
      await Promise.all([
        channels.length > 0 && client.subscribe(...channels),
        patterns.length > 0 && client.psubscribe(...patterns),
      ]);
    });
  } catch (error) {
    end();
    throw isTransportError(error) ? error : subscribeError(lastError ?? (error as Error), place);
  }
  // The connection may have broken in the moment after the last confirmation.
  if (client.status !== "ready") {
    end();
    throw connectionError(lastError, place, "unknown");
  }
  phase = "listening";
  return {
    async close() {
      if (phase === "over") return;
      const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
      end();
      await ended;
    },
  };
}

const payload = (data: Buffer): string | Uint8Array => toReply(data) as string | Uint8Array;

function subscribeError(error: Error, place: Place): TransportError {
  if (isRefusal(error) && error.message.startsWith("NOPERM")) {
    return new TransportError("unauthorized", `${error.message} (the user's ACL needs a rule such as &app:*)`, {
      transport: transportName,
      delivery: "none",
    });
  }
  return connectionError(error, place, "none");
}
