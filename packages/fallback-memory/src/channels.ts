import {
  compileGlob,
  type Message,
  type MessageListener,
  type Topics,
  type TransportError,
} from "@continuum-cache/core";
import { type Bulk, handOut } from "./values/bulk.ts";

/** Messages between the callers of one transport. */
export interface Channels {
  /** Hears from now on; the returned function ends it. */
  listen(topics: Topics, listener: MessageListener): () => void;
  /** Hands a message to whoever hears its channel, and counts them as Redis does: once for each matching topic. */
  publish(channel: Bulk, data: Bulk): number;
  /** Tells all listeners that nothing more is coming. */
  interrupt(error: TransportError): void;
}

interface Listening {
  readonly channels: ReadonlySet<string>;
  readonly patterns: readonly { readonly pattern: string; matches(channel: string): boolean }[];
  readonly listener: MessageListener;
  open: boolean;
}

export function createChannels(): Channels {
  const all = new Set<Listening>();

  // Later, and in order: a listener that sends commands must not do so in the middle of somebody's trip.
  const deliver = (listening: Listening, message: Message): void => {
    queueMicrotask(() => {
      if (listening.open) listening.listener.message(message);
    });
  };

  return {
    listen(topics, listener) {
      const listening: Listening = {
        channels: new Set(topics.channels),
        patterns: [...new Set(topics.patterns)].map((pattern) => ({ pattern, matches: compileGlob(pattern) })),
        listener,
        open: true,
      };
      all.add(listening);
      return () => {
        listening.open = false;
        all.delete(listening);
      };
    },
    publish(channel, data) {
      // Topics are texts, so nobody can be listening to a channel that is none.
      if (typeof channel !== "string") return 0;
      let receivers = 0;
      for (const listening of all) {
        if (listening.channels.has(channel)) {
          receivers++;
          deliver(listening, { channel, data: handOut(data) });
        }
        for (const { pattern, matches } of listening.patterns) {
          if (!matches(channel)) continue;
          receivers++;
          deliver(listening, { channel, pattern, data: handOut(data) });
        }
      }
      return receivers;
    },
    interrupt(error) {
      const interrupted = [...all];
      all.clear();
      for (const listening of interrupted) {
        // Behind the messages that are on their way.
        queueMicrotask(() => {
          if (listening.open) listening.listener.interrupted(error);
          listening.open = false;
        });
      }
    },
  };
}
