import { onAbort } from "@continuum-cache/core/kit";
import type { BufferSettings } from "../settings.ts";
import type { Gap, Message } from "../types.ts";
import { createConsumerBuffer } from "./consumer-buffer.ts";

/** One loop over messages, and the messages that wait for it. */
export interface Consumer {
  push(message: Message, size: number): void;
  /** Hands out the messages that wait, then ends the loop. */
  end(): void;
  /** @param signal - Ends the loop at once. */
  iterate(signal: AbortSignal | undefined, onEnd: () => void): AsyncIterableIterator<Message>;
}

export function createConsumer(settings: BufferSettings, onGap: (gap: Gap) => void): Consumer {
  const buffer = createConsumerBuffer(settings, onGap);
  let wake: (() => void) | undefined;
  let isEnded = false;
  let failure: unknown;

  const awaken = (): void => {
    wake?.();
    wake = undefined;
  };

  return {
    push(message, size) {
      if (isEnded) return;
      try {
        buffer.push(message, size);
      } catch (error) {
        isEnded = true;
        failure = error;
      }
      awaken();
    },
    end() {
      isEnded = true;
      awaken();
    },
    async *iterate(signal, onEnd) {
      const stopHearing = onAbort(signal, awaken);
      try {
        while (!signal?.aborted) {
          if (failure) throw failure;
          const message = buffer.shift();
          if (message) {
            yield message;
            continue;
          }
          if (isEnded) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        stopHearing();
        onEnd();
      }
    },
  };
}
