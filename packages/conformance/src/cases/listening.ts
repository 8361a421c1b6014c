import type { Message, Subscription, Topics, Transport, TransportError } from "@continuum-cache/core";
import { show } from "../expect/expect-reply.ts";

/** A subscription that keeps its messages. */
export interface Listening {
  readonly heard: readonly Message[];
  readonly interruptions: readonly TransportError[];
  readonly subscription: Subscription;
  /** Waits until `done` is true, for at most five seconds. @param what - The expectation, for the error. */
  until(done: () => boolean, what: string): Promise<void>;
  close(): Promise<void>;
}

/** Subscribes and keeps every message. */
export async function listen(transport: Transport, topics: Topics): Promise<Listening> {
  const heard: Message[] = [];
  const interruptions: TransportError[] = [];
  const subscription = await subscribeTo(transport, topics, {
    message: (message) => heard.push(message),
    interrupted: (error) => interruptions.push(error),
  });
  return {
    heard,
    interruptions,
    subscription,
    async until(done, what) {
      const givenUpAt = Date.now() + 5_000;
      while (!done()) {
        if (Date.now() > givenUpAt) {
          throw new Error(`expected ${what} within 5 s, heard ${show(heard.map(({ data }) => data))}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    close: () => subscription.close(),
  };
}

/** `subscribe`, which a transport that can't listen doesn't have. */
export function subscribeTo(
  transport: Transport,
  ...args: Parameters<NonNullable<Transport["subscribe"]>>
): Promise<Subscription> {
  if (!transport.subscribe) throw new Error(`expected the transport "${transport.name}" to have subscribe()`);
  return transport.subscribe(...args);
}

/** A subscription whose topics can change. */
export type Growing = Required<Pick<Subscription, "add" | "remove">>;

/** `add` and `remove`, which a transport whose streams have fixed topics doesn't have. */
export function growing({ subscription }: Listening): Growing {
  const { add, remove } = subscription;
  if (!add || !remove) throw new Error("expected the subscription to have add() and remove()");
  return { add: add.bind(subscription), remove: remove.bind(subscription) };
}
