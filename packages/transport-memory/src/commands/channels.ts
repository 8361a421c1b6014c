import type { Message, MessageListener, Topics, TransportError } from "@continuum-cache/core";
import { compileGlob, TextMap } from "@continuum-cache/core/kit";
import { type Bulk, handOut } from "../values/bulk.ts";

/** Messages between the callers of one transport. */
export interface Channels {
  /** Subscribes from now on. */
  listen(topics: Topics, listener: MessageListener): Hearing;
  /**
   * Delivers a message to all subscribers, and returns their number as Redis counts it: once for each matching topic.
   */
  publish(channel: Bulk, data: Bulk): number;
  /** Ends all subscriptions with an error. */
  interrupt(error: TransportError): void;
}

/** The subscription of one listener. After its end all methods do nothing. */
export interface Hearing {
  /** `false` after it was stopped or interrupted. */
  readonly isOpen: boolean;
  add(topics: Topics): void;
  remove(topics: Topics): void;
  stop(): void;
}

interface Listening {
  readonly channels: TextMap<true>;
  readonly patterns: TextMap<(channel: string) => boolean>;
  readonly listener: MessageListener;
  open: boolean;
}

export function createChannels(): Channels {
  const all = new Set<Listening>();

  // In a microtask, in order: a listener that sends commands must not do so in the middle of a running trip.
  const deliver = (listening: Listening, message: Message): void => {
    queueMicrotask(() => {
      const { open, channels, patterns, listener } = listening;
      const { channel, pattern } = message;
      // The listener may have unsubscribed meanwhile.
      if (open && (pattern === undefined ? channels.has(channel) : patterns.has(pattern))) listener.message(message);
    });
  };

  return {
    listen(topics, listener) {
      const listening: Listening = { channels: new TextMap(), patterns: new TextMap(), listener, open: true };
      all.add(listening);
      const hearing: Hearing = {
        get isOpen() {
          return all.has(listening);
        },
        add({ channels = [], patterns = [] }) {
          for (const channel of channels) listening.channels.set(channel, true);
          for (const pattern of patterns) listening.patterns.set(pattern, compileGlob(pattern));
        },
        remove({ channels = [], patterns = [] }) {
          for (const channel of channels) listening.channels.delete(channel);
          for (const pattern of patterns) listening.patterns.delete(pattern);
        },
        stop() {
          listening.open = false;
          all.delete(listening);
        },
      };
      hearing.add(topics);
      return hearing;
    },
    publish(channel, data) {
      // Topics are texts, so a channel that is no text has no subscribers.
      if (typeof channel !== "string") return 0;
      let receivers = 0;
      for (const listening of all) {
        if (listening.channels.has(channel)) {
          receivers++;
          deliver(listening, { channel, data: handOut(data) });
        }
        for (const [pattern, matches] of listening.patterns) {
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
        // After the messages that were published before.
        queueMicrotask(() => {
          if (listening.open) listening.listener.interrupted(error);
          listening.open = false;
        });
      }
    },
  };
}
