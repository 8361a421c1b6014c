import { callListener } from "@continuum-cache/core/kit";
import type { FeedRequest, Feeds } from "../feeds/feeds.ts";
import type { JoinOptions, Member, Membership } from "../feeds/member.ts";
import { idOf } from "../hub/topic.ts";
import type { SubscriptionHandlers } from "../options.ts";
import type { BufferSettings } from "../settings.ts";
import type { Gap, Message } from "../types.ts";
import { type Consumer, createConsumer } from "./consumer.ts";
import { createOutlets } from "./outlets.ts";

/** Hands what a PubSub hears to the handlers of its subscriptions, and to loops and listeners where there are none. */
export interface Receivers {
  /** A loop over messages; the first one gets those that came before it. */
  loop(signal: AbortSignal | undefined): AsyncIterableIterator<Message>;
  /** Returns the function that stops the listener. */
  listen(listener: (message: Message) => void): () => void;
  /** @throws as `Feeds.join` does. */
  join(request: FeedRequest, handlers: SubscriptionHandlers<unknown>, options: JoinOptions): Promise<Membership>;
  /** Ends all loops. */
  end(): void;
}

export interface ReceiversParts {
  readonly feeds: Feeds;
  readonly buffer: BufferSettings;
  /** Told of each gap that no handler is told of. */
  readonly onGap: (gap: Gap) => void;
}

export function createReceivers({ feeds, buffer, onGap }: ReceiversParts): Receivers {
  const outlets = createOutlets();
  /** The loops, and what takes each out of the outlets. */
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
  /** Keeps what comes before the first loop begins. */
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
      // A listener that is told of each message has no need of any that waits.
      if (early) removeLoop(early);
      early = undefined;
      return outlets.add(listener, (message) => callListener(() => listener(message)));
    },
    async join(request, handlers, options) {
      const inlet = handlers.onMessage ? undefined : outlets.open(idOf(request));
      // A handler that throws is its owner's bug: the others are told all the same.
      const member: Member = {
        message: inlet ? inlet.message : (message) => callListener(() => handlers.onMessage?.(message)),
        gap: (gap, occasion) => (handlers.onGap ? callListener(() => handlers.onGap?.(gap)) : tellGap(gap, occasion)),
      };
      try {
        const membership = await feeds.join(request, member, options);
        return {
          get position() {
            return membership.position;
          },
          leave() {
            membership.leave();
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
