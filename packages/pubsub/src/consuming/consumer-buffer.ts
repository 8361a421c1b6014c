import type { BufferSettings } from "../settings.ts";
import type { Gap, Message, Position } from "../types.ts";
import { SlowConsumerError } from "./slow-consumer-error.ts";

/** Messages that wait for one consumer, within its bounds. Dropped messages are reported as gaps. */
export interface ConsumerBuffer {
  /** @throws SlowConsumerError when it is full, where that must end the consumer. */
  push(message: Message, size: number): void;
  shift(): Message | undefined;
}

interface Waiting {
  readonly message: Message;
  readonly size: number;
  readonly heardMs: number;
}

/**
 * @param onGap - Called before the next message is taken, once for each channel or pattern that had messages dropped.
 */
export function createConsumerBuffer(settings: BufferSettings, onGap: (gap: Gap) => void): ConsumerBuffer {
  const { maxMessages, maxBytes, whenFull, key } = settings;
  /** In order. Conflated messages keep the newest of each key, at the place of the oldest. */
  const waiting = new Map<string | symbol, Waiting>();
  const positions = new Map<string, Position>();
  let bytes = 0;

  /** How many were dropped since the last message was taken, by topic. */
  const left = new Map<string, { count: number; readonly pattern: string | undefined }>();
  /** Every message that was heard by then has been taken. */
  let takenMs = Date.now();

  const isFull = (): boolean => waiting.size > maxMessages || (bytes > maxBytes && waiting.size > 1);
  const takeFirst = (): Waiting | undefined => {
    for (const [place, first] of waiting) {
      waiting.delete(place);
      bytes -= first.size;
      return first;
    }
    return undefined;
  };
  const leaveOut = ({ channel, pattern }: Message): void => {
    const topic = pattern ?? channel;
    const one = left.get(topic) ?? { count: 0, pattern };
    one.count++;
    left.set(topic, one);
  };
  const tellLeft = (): void => {
    if (left.size === 0) return;
    const times = { from: new Date(takenMs), to: new Date() };
    const gaps = [...left].map(([channel, { count, pattern }]): Gap => {
      const named = pattern === undefined ? { channel } : { channel, pattern };
      return { ...named, ...times, missed: count, reason: "slow" };
    });
    left.clear();
    for (const gap of gaps) onGap(gap);
  };

  return {
    push(message, size) {
      const place = whenFull === "conflate" ? key(message) : Symbol("message");
      const earlier = waiting.get(place);
      bytes += size - (earlier?.size ?? 0);
      waiting.set(place, { message, size, heardMs: earlier?.heardMs ?? Date.now() });
      if (!isFull()) return;
      if (whenFull === "disconnect") throw new SlowConsumerError(waiting.size, new Map(positions));
      while (isFull()) {
        const oldest = takeFirst();
        if (!oldest) break;
        leaveOut(oldest.message);
      }
    },
    shift() {
      tellLeft();
      const first = takeFirst();
      if (!first) return undefined;
      const { message, heardMs } = first;
      takenMs = heardMs;
      if (message.position) positions.set(message.channel, message.position);
      return message;
    },
  };
}
