import { TransportError } from "../errors/transport-error.ts";
import { NameMap } from "../keys/name-map.ts";
import { callListener } from "../ports/call-listener.ts";
import type { Message, Subscription, Transport } from "../ports/transport.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { idOf, type Topic, type TopicId, type TopicKind, toTopics } from "./topic.ts";

/** One stream of a transport, from its confirmation to its end. */
export interface LiveStream {
  /** The transport that opened it. */
  readonly via: Transport;
  /** Topics that the server has confirmed. */
  readonly topics: NameMap<Topic, TopicId>;
  /** It hears this process only. */
  readonly degraded: boolean;
  /**
   * Up to when nothing is missing, by kind: when the stream was confirmed, later when the last echoed heartbeat was
   * sent.
   */
  readonly provenMs: Map<TopicKind, number>;
  /** Present where a stream can listen to more topics later. */
  readonly add?: (topics: readonly Topic[]) => Promise<void>;
  readonly remove?: (topics: readonly Topic[]) => Promise<void>;
  /** From now on this listener is called in place of any other. It gets what has happened before first. */
  attend(listener: StreamListener): void;
  /** Closes the stream. Its listener is not called any more. */
  close(): void;
}

export interface StreamListener {
  message(message: Message): void;
  /** Called once, when the stream breaks; not after `close`. */
  broken(error: TransportError): void;
}

export interface OpenStreamParts {
  readonly transport: Transport;
  readonly timeoutMs: number;
  readonly topics: readonly Topic[];
  /** Takes the echoes that the stream hears. */
  readonly heartbeat: Heartbeat;
}

/** @throws TransportError when the server did not confirm in time. */
export async function openStream(parts: OpenStreamParts): Promise<LiveStream> {
  const { transport, timeoutMs, topics, heartbeat } = parts;
  const inbox = createInbox(heartbeat.ending, (echo) => heartbeat.hears(stream, echo));
  const subscription = await subscribeTo(transport, topics, inbox, timeoutMs);
  const now = Date.now();
  const confirmed = new NameMap<Topic, TopicId>();
  for (const topic of topics) confirmed.set(idOf(topic), topic);
  const { add, remove, degraded = false } = subscription;

  const stream: LiveStream = {
    via: transport,
    topics: confirmed,
    degraded,
    provenMs: new Map(topics.map(({ kind }) => [kind, now])),
    ...(add && {
      async add(more: readonly Topic[]) {
        await add.call(subscription, toTopics(more), { timeoutMs });
        for (const topic of more) confirmed.set(idOf(topic), topic);
      },
    }),
    ...(remove && {
      async remove(less: readonly Topic[]) {
        for (const topic of less) confirmed.delete(idOf(topic));
        await remove.call(subscription, toTopics(less), { timeoutMs });
      },
    }),
    attend: inbox.attend,
    close() {
      inbox.close();
      // No caller waits for the end of the subscription, so its failure is ignored.
      subscription.close().catch(() => {});
    },
  };
  return stream;
}

async function subscribeTo(
  transport: Transport,
  topics: readonly Topic[],
  inbox: Inbox,
  timeoutMs: number,
): Promise<Subscription> {
  if (transport.subscribe) return transport.subscribe(toTopics(topics), inbox, { timeoutMs });
  throw new TransportError("protocol", `The transport "${transport.name}" can't listen`, {
    transport: transport.name,
    delivery: "none",
  });
}

/** Keeps what a stream brings until it has a listener. */
interface Inbox extends Pick<LiveStream, "attend" | "close"> {
  message(message: Message): void;
  interrupted(error: TransportError): void;
}

function createInbox(ending: string, onEcho: (echo: Message) => void): Inbox {
  const early: Message[] = [];
  let attending: StreamListener | undefined;
  let failure: TransportError | undefined;
  let isOver = false;
  const hand = (message: Message, listener: StreamListener): void => {
    try {
      if (message.channel.endsWith(ending)) onEcho(message);
      else listener.message(message);
    } catch (error) {
      // An exception of a listener must not reach the transport.
      callListener(() => {
        throw error;
      });
    }
  };

  return {
    message(message) {
      if (isOver) return;
      if (attending) hand(message, attending);
      else early.push(message);
    },
    interrupted(error) {
      if (isOver) return;
      isOver = true;
      failure = error;
      attending?.broken(error);
    },
    attend(listener) {
      attending = listener;
      for (const message of early.splice(0)) hand(message, listener);
      if (failure) listener.broken(failure);
    },
    close() {
      isOver = true;
    },
  };
}

/** The stream broke while topics were being added to it. */
export const brokenError = ({ name }: Transport): TransportError =>
  new TransportError("unreachable", "The stream of messages broke while topics were being added to it", {
    transport: name,
  });

/** On the edge a stream ends with the request that has opened it. */
export const vanishedError = ({ name }: Transport): TransportError =>
  new TransportError("unreachable", "The stream of messages has ended with the request that had opened it", {
    transport: name,
  });

/** No echo came. */
export const silentError = ({ name }: Transport): TransportError =>
  new TransportError("timeout", "The stream of messages has gone silent: it no longer hears this process itself", {
    transport: name,
  });
