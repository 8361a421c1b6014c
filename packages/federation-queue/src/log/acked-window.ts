import type { OutboxLimits } from "../shared/outbox.ts";
import { isSameId, type StreamId } from "./stream.ts";

/** An event that Redis has accepted. */
export interface Numbered {
  readonly text: string;
  readonly bytes: number;
  readonly id: StreamId;
}

/** The events that were accepted last, in order, without a hole: what a failover may have lost is repeated from here. */
export interface Remembered<Item extends Numbered> {
  readonly first: Item | undefined;
  add(item: Item): void;
  has(id: StreamId): boolean;
  /** Takes away all that came after this. */
  takeAfter(id: StreamId): readonly Item[];
  clear(): void;
}

export function createRemembered<Item extends Numbered>({ maxItems, maxBytes }: OutboxLimits): Remembered<Item> {
  let items: Item[] = [];
  /** What stands before it is forgotten. */
  let head = 0;
  let bytes = 0;

  const indexOf = (seq: number): number => {
    const first = items[head];
    return first ? head + seq - first.id.seq : -1;
  };
  const forget = (): void => {
    while (items.length - head > maxItems || (bytes > maxBytes && head < items.length)) {
      bytes -= items[head]?.bytes ?? 0;
      head++;
    }
    // Empty places are closed once they are half of all, so that forgetting one is cheap on average.
    if (head * 2 < items.length) return;
    items = items.slice(head);
    head = 0;
  };

  return {
    get first() {
      return items[head];
    },
    add(item) {
      if (maxItems === 0) return;
      items.push(item);
      bytes += item.bytes;
      forget();
    },
    has(id) {
      const at = indexOf(id.seq);
      const found = at >= head ? items[at] : undefined;
      return found !== undefined && isSameId(found.id, id);
    },
    takeAfter({ seq }) {
      const at = Math.max(head, indexOf(seq + 1));
      if (items.length === head) return [];
      const taken = items.splice(at);
      for (const item of taken) bytes -= item.bytes;
      return taken;
    },
    clear() {
      items = [];
      head = 0;
      bytes = 0;
    },
  };
}
