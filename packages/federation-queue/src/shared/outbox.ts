import { isCommandError, isTransportError, TransportError } from "@continuum-cache/core";

/** A bounded FIFO of items that wait until Redis answers. */
export interface Outbox<Item> {
  readonly length: number;
  readonly bytes: number;
  /** Adds an item at the end. `false`: there is no room, and nothing has changed. */
  add(item: Item, bytes: number): boolean;
  /** The first items within these bounds, and at least one if there is any. They stay until `remove`. */
  peek(maxItems: number, maxBytes: number): readonly Item[];
  /** Removes the first items. */
  remove(count: number): void;
}

/** The bounds of an outbox. */
export interface OutboxLimits {
  readonly maxItems: number;
  readonly maxBytes: number;
}

interface Waiting<Item> {
  readonly item: Item;
  readonly bytes: number;
}

export function createOutbox<Item>({ maxItems, maxBytes }: OutboxLimits): Outbox<Item> {
  let waiting: Waiting<Item>[] = [];
  /** The items before it have been removed. */
  let head = 0;

  const outbox = {
    length: 0,
    bytes: 0,
    add(item: Item, size: number): boolean {
      if (outbox.length >= maxItems || outbox.bytes + size > maxBytes) return false;
      waiting.push({ item, bytes: size });
      outbox.length++;
      outbox.bytes += size;
      return true;
    },
    peek(mostItems: number, mostBytes: number): readonly Item[] {
      const items: Item[] = [];
      let left = mostBytes;
      for (const { item, bytes: size } of waiting.slice(head, head + mostItems)) {
        if (items.length > 0 && size > left) break;
        items.push(item);
        left -= size;
      }
      return items;
    },
    remove(count: number): void {
      const end = Math.min(head + count, waiting.length);
      for (; head < end; head++) outbox.bytes -= (waiting[head] as Waiting<Item>).bytes;
      outbox.length = waiting.length - head;
      // The removed half is cut off in one step, so that removing one item is cheap on average.
      if (head * 2 < waiting.length) return;
      waiting = waiting.slice(head);
      head = 0;
    },
  };
  return outbox;
}

/** Whether Redis may accept the same later: the refusal does not concern what was sent. */
export const isTemporaryRefusal = (error: unknown): boolean =>
  isCommandError(error) &&
  ["OOM", "MISCONF", "BUSY", "NOREPLICAS", "READONLY", "LOADING", "MASTERDOWN", "UNKILLABLE"].includes(error.code);

/** The error for `count` items that found no room. @param cause - Why they should have waited. */
export const fullError = (transport: string, count: number, cause: unknown): TransportError =>
  new TransportError(
    isTransportError(cause) ? cause.kind : "unreachable",
    `Redis does not answer, and the outbox has no room for ${count} more: try again later, or raise \`outbox\``,
    { transport, delivery: isTransportError(cause) ? cause.delivery : "none", cause },
  );
