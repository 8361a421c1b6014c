import type { OutboxLimits } from "../shared/outbox.ts";
import { isSameId, type StreamId } from "./stream.ts";

/** An event that Redis has accepted. */
export interface AckedEvent {
  readonly text: string;
  readonly bytes: number;
  readonly id: StreamId;
}

/** The latest accepted events, in order and without a hole: what a failover has lost is appended again from here. */
export interface AckedWindow<Item extends AckedEvent> {
  readonly first: Item | undefined;
  add(item: Item): void;
  has(id: StreamId): boolean;
  /** Removes and returns the events behind this one. */
  takeAfter(id: StreamId): readonly Item[];
  clear(): void;
}

export function createAckedWindow<Item extends AckedEvent>({ maxItems, maxBytes }: OutboxLimits): AckedWindow<Item> {
  let items: Item[] = [];
  /** Items before this index are forgotten. */
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
    // The list is compacted once half of it is forgotten, so that forgetting an event is cheap on average.
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
