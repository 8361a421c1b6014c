import type { Message, Transport } from "@continuum-cache/core";
import { primaryOf } from "@continuum-cache/core/kit";
import type { Topic, TopicKind } from "./topic.ts";

/**
 * Proves that a stream lives: publishes a nonce, and waits for it to be heard. A socket whose other end is gone, and a
 * stream that has silently stopped, look like one on which nothing is published; only an echo tells them apart.
 */
export interface Probe {
  /** The topics that a stream must have for its echoes to be heard. */
  topics(kinds: Iterable<TopicKind>): Topic[];
  /** Takes an echo. @returns whether the message was one. */
  hears(stream: object, message: Message): boolean;
  /**
   * Asks for echoes of the given streams and kinds.
   *
   * @returns when the nonce was sent, in milliseconds since 1970: what was published before has been heard. Nothing when
   *   an echo did not come.
   * @throws what kept the nonce from being published.
   */
  ask(expected: readonly Expected[]): Promise<number | undefined>;
}

/** A stream, and the kind of topic through which it is to hear the nonce. */
export interface Expected {
  readonly stream: object;
  readonly kind: TopicKind;
  /** Called as soon as it does. */
  readonly onEcho?: () => void;
}

export function createProbe(transport: Transport, channel: string, timeoutMs: number): Probe {
  const primary = primaryOf(transport);
  const own = [...crypto.getRandomValues(new Uint32Array(2))].map((part) => part.toString(36)).join("");
  const name = `${channel}:${own}`;
  let count = 0;
  const waiting = new Map<string, (stream: object, kind: TopicKind) => void>();

  return {
    topics: (kinds) => [...kinds].map((kind) => ({ kind, name })),
    hears(stream, { channel: heard, pattern, data, degraded }) {
      if (heard !== name) return false;
      // What went round within this process proves nothing of the server.
      if (!degraded) waiting.get(String(data))?.(stream, pattern === undefined ? "channel" : "pattern");
      return true;
    },
    async ask(expected) {
      const nonce = (count++).toString(36);
      const left = new Set(expected);
      let timer: ReturnType<typeof setTimeout> | undefined;
      const echoed = new Promise<boolean>((resolve) => {
        waiting.set(nonce, (stream, kind) => {
          for (const one of left) {
            if (one.stream !== stream || one.kind !== kind) continue;
            left.delete(one);
            one.onEcho?.();
          }
          if (left.size === 0) resolve(true);
        });
        timer = setTimeout(resolve, 2 * timeoutMs, false);
      });
      const sentMs = Date.now();
      try {
        const [reply] = await primary.send([["PUBLISH", name, nonce]], { timeoutMs });
        if (reply instanceof Error) throw reply;
        return (await echoed) ? sentMs : undefined;
      } finally {
        clearTimeout(timer);
        waiting.delete(nonce);
      }
    },
  };
}
