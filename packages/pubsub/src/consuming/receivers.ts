import { callListener, idOf } from "@continuum-cache/core/kit";
import type { SubscriptionHandlers } from "../options.ts";
import type { BufferSettings } from "../settings.ts";
import type { ChannelSources, SourceRequest } from "../sources/channel-sources.ts";
import type { JoinOptions, SourceSubscription, Subscriber } from "../sources/subscriber.ts";
import type { Gap, Message } from "../types.ts";
import { type Consumer, createConsumer } from "./consumer.ts";
import { createOutlets } from "./outlets.ts";

/** Hands messages to the handler of their subscription, or to loops and listeners where it has no handler. */
export interface Receivers {
  /** A loop over messages. The first one also gets those that came before it. */
  loop(signal: AbortSignal | undefined): AsyncIterableIterator<Message>;
  /** Returns the function that stops the listener. */
  listen(listener: (message: Message) => void): () => void;
  /** @throws as `ChannelSources.join` does. */
  join(
    request: SourceRequest,
    handlers: SubscriptionHandlers<unknown>,
    options: JoinOptions,
  ): Promise<SourceSubscription>;
  /** Ends all loops. */
  end(): void;
}

export interface ReceiversParts {
  readonly sources: ChannelSources;
  readonly buffer: BufferSettings;
  /** Called for each gap for which no handler is called. */
  readonly onGap: (gap: Gap) => void;
}

export function createReceivers({ sources, buffer, onGap }: ReceiversParts): Receivers {
  const outlets = createOutlets();
  /** The loops, and the function that removes each from the outlets. */
  const loops = new Map<Consumer, () => void>();
  const toldGaps = new WeakSet<object>();
  let isEnded = false;

  const addLoop = (): Consumer => {
    const consumer = createConsumer(buffer, onGap);
    loops.set(consumer, outlets.add(consumer, consumer.push));
    if (isEnded) consumer.end();
    return consumer;
  };
  const removeLoop = (consumer: Consumer): void => {
    loops.get(consumer)?.();
    loops.delete(consumer);
  };
  /** Keeps the messages that come before the first loop begins. */
  let early: Consumer | undefined = addLoop();

  const tellGap = (gap: Gap, occasion: object): void => {
    if (toldGaps.has(occasion)) return;
    toldGaps.add(occasion);
    onGap(gap);
  };

  return {
    loop(signal) {
      const consumer = early ?? addLoop();
      early = undefined;
      return consumer.iterate(signal, () => removeLoop(consumer));
    },
    listen(listener) {
      // A listener gets each message as it comes, so none needs to wait.
      if (early) removeLoop(early);
      early = undefined;
      return outlets.add(listener, (message) => callListener(() => listener(message)));
    },
    async join(request, handlers, options) {
      const inlet = handlers.onMessage ? undefined : outlets.open(idOf(request));
      // A handler that throws must not keep others from getting the message.
      const subscriber: Subscriber = {
        message: inlet ? inlet.message : (message) => callListener(() => handlers.onMessage?.(message)),
        gap: (gap, occasion) => (handlers.onGap ? callListener(() => handlers.onGap?.(gap)) : tellGap(gap, occasion)),
      };
      try {
        const subscription = await sources.join(request, subscriber, options);
        return {
          get position() {
            return subscription.position;
          },
          leave() {
            subscription.leave();
            inlet?.leave();
          },
        };
      } catch (error) {
        inlet?.leave();
        throw error;
      }
    },
    end() {
      isEnded = true;
      for (const consumer of loops.keys()) consumer.end();
    },
  };
}
