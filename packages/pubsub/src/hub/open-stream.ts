import { type Message, type Subscription, type Transport, TransportError } from "@continuum-cache/core";
import { callListener, NameMap } from "@continuum-cache/core/kit";
import { idOf, type Topic, type TopicId, type TopicKind, toTopics } from "./topic.ts";

/** One stream of the transport, from its confirmation to its end. */
export interface Stream {
  /** Confirmed ones. */
  readonly topics: NameMap<Topic, TopicId>;
  /** It hears this process only. */
  readonly degraded: boolean;
  /** Since when nothing is known to be missing: when it was confirmed, then when each echo was asked for. */
  readonly provenMs: Map<TopicKind, number>;
  /** Present where a stream can listen to more later on. */
  readonly add?: (topics: readonly Topic[]) => Promise<void>;
  readonly remove?: (topics: readonly Topic[]) => Promise<void>;
  /** From now on this listener is told, in the place of any other; what has happened before, first. */
  attend(listener: StreamListener): void;
  /** Nothing more is told. */
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
}

/** @throws TransportError when it was not confirmed in time. */
export async function openStream({ transport, timeoutMs, topics }: OpenStreamParts): Promise<Stream> {
  if (!transport.subscribe) {
    throw new TransportError("protocol", `The transport "${transport.name}" can't listen`, {
      transport: transport.name,
      delivery: "none",
    });
  }
  const early: Message[] = [];
  let attending: StreamListener | undefined;
  let failure: TransportError | undefined;
  let isOver = false;

  /** The bugs of those who attend are not the transport's. */
  const hear = (message: Message): void => {
    if (isOver) return;
    const listener = attending;
    if (listener) callListener(() => listener.message(message));
    else early.push(message);
  };
  const fail = (error: TransportError): void => {
    if (isOver) return;
    isOver = true;
    failure = error;
    attending?.broken(error);
  };
  const listener = { message: hear, interrupted: fail };
  const subscription: Subscription = await transport.subscribe(toTopics(topics), listener, { timeoutMs });
  const now = Date.now();
  const confirmed = new NameMap<Topic, TopicId>();
  for (const topic of topics) confirmed.set(idOf(topic), topic);
  const { add, remove, degraded = false } = subscription;

  return {
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
    attend(listener) {
      attending = listener;
      for (const message of early.splice(0)) callListener(() => listener.message(message));
      if (failure) listener.broken(failure);
    },
    close() {
      isOver = true;
      // Whether it ends well or not, nobody waits for it.
      subscription.close().catch(() => {});
    },
  };
}
