import type { Gap } from "../gap.ts";
import type { Message } from "../message.ts";
import type { Position } from "../position.ts";
import type { BufferSettings } from "./buffer-settings.ts";
import { SlowConsumerError } from "./slow-consumer-error.ts";

/** What waits for one consumer: never more than its bounds, and what is let go is told. */
export interface ConsumerBuffer {
  /** @throws SlowConsumerError when it is full and that is to end the consumer. */
  push(message: Message, size: number): void;
  shift(): Message | undefined;
}

interface Waiting {
  readonly message: Message;
  readonly size: number;
  readonly sinceMs: number;
}

/** @param onGap - Told of messages that were let go. */
export function createConsumerBuffer(settings: BufferSettings, onGap: (gap: Gap) => void): ConsumerBuffer {
  const { maxMessages, maxBytes, whenFull, key } = settings;
  /** In order; of conflated ones only the newest of each key, at the place of the oldest. */
  const waiting = new Map<string | symbol, Waiting>();
  const positions = new Map<string, Position>();
  let bytes = 0;

  const isFull = (): boolean => waiting.size > maxMessages || (bytes > maxBytes && waiting.size > 1);
  const take = (): Waiting | undefined => {
    for (const [place, first] of waiting) {
      waiting.delete(place);
      bytes -= first.size;
      return first;
    }
    return undefined;
  };
  const dropOldest = (): void => {
    const dropped: Waiting[] = [];
    while (isFull()) {
      const oldest = take();
      if (!oldest) break;
      dropped.push(oldest);
    }
    for (const [topic, theirs] of byTopic(dropped)) onGap(slowGap(topic, theirs));
  };

  return {
    push(message, size) {
      const place = whenFull === "conflate" ? key(message) : Symbol("message");
      bytes += size - (waiting.get(place)?.size ?? 0);
      waiting.set(place, { message, size, sinceMs: waiting.get(place)?.sinceMs ?? Date.now() });
      if (!isFull()) return;
      if (whenFull === "disconnect") throw new SlowConsumerError(waiting.size, new Map(positions));
      dropOldest();
    },
    shift() {
      const message = take()?.message;
      if (message?.position) positions.set(message.channel, message.position);
      return message;
    },
  };
}

function byTopic(dropped: readonly Waiting[]): Map<string, Waiting[]> {
  const topics = new Map<string, Waiting[]>();
  for (const one of dropped) {
    const topic = one.message.pattern ?? one.message.channel;
    topics.set(topic, [...(topics.get(topic) ?? []), one]);
  }
  return topics;
}

function slowGap(topic: string, dropped: readonly Waiting[]): Gap {
  const pattern = dropped[0]?.message.pattern;
  return {
    channel: topic,
    ...(pattern !== undefined && { pattern }),
    from: new Date(Math.min(...dropped.map(({ sinceMs }) => sinceMs))),
    to: new Date(),
    missed: dropped.length,
    reason: "slow",
  };
}
