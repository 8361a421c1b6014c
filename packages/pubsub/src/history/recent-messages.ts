import type { Message, Position } from "../types.ts";

/** A delivered message, and its length as it travelled, in characters. */
export interface RecentMessage {
  readonly message: Message;
  readonly position: Required<Position>;
  readonly size: number;
}

/**
 * The latest messages of a replay channel: they recognize duplicates, and spare late subscribers a read of the history.
 */
export interface RecentMessages {
  add(recent: RecentMessage): void;
  /** Whether the message at this position is this one; `undefined` when the position is not remembered. */
  has(position: Required<Position>): boolean | undefined;
  /** The first position of an epoch from which all messages up to the newest are remembered. */
  firstOf(epoch: number): Required<Position> | undefined;
  /** All messages behind a position, if every one of them is remembered. */
  after(position: Position): RecentMessage[] | undefined;
  clear(): void;
}

const maxMessages = 256;
const maxSize = 1 << 20;

export function createRecentMessages(): RecentMessages {
  let all: RecentMessage[] = [];
  let total = 0;

  const at = ({ epoch, seq }: Position): number => {
    const first = all[0]?.position;
    return first && first.epoch === epoch ? seq - first.seq : -1;
  };

  return {
    add(recent) {
      const { position, size } = recent;
      const last = all.at(-1)?.position;
      const isNext = last && last.epoch === position.epoch && last.seq + 1 === position.seq;
      if (!isNext) {
        all = [];
        total = 0;
      }
      all.push(recent);
      total += size;
      while (all.length > maxMessages || (total > maxSize && all.length > 1)) total -= all.shift()?.size ?? 0;
    },
    has(position) {
      const known = all[at(position)];
      return known && known.position.tag === position.tag;
    },
    firstOf(epoch) {
      const first = all[0]?.position;
      return first?.epoch === epoch ? first : undefined;
    },
    after(position) {
      const index = at(position);
      if (index < 0 || index >= all.length) return undefined;
      const { tag } = all[index]?.position ?? {};
      if (position.tag !== undefined && position.tag !== tag) return undefined;
      return all.slice(index + 1);
    },
    clear() {
      all = [];
      total = 0;
    },
  };
}
