/** The id of an entry: its time, then its number. Both grow together within an origin. */
export interface StreamId {
  readonly atMs: number;
  readonly seq: number;
}

/** Before all events. */
export const noId: StreamId = { atMs: 0, seq: 0 };

export const writeId = ({ atMs, seq }: StreamId): string => `${atMs}-${seq}`;

/** `undefined` when it is not the id of an entry of a log. */
export function parseId(text: unknown): StreamId | undefined {
  const found = typeof text === "string" ? /^(\d{1,16})-(\d{1,16})$/.exec(text) : null;
  if (!found) return undefined;
  const [atMs, seq] = [Number(found[1]), Number(found[2])];
  return Number.isSafeInteger(atMs) && Number.isSafeInteger(seq) ? { atMs, seq } : undefined;
}

export const isAfter = (one: StreamId, other: StreamId): boolean =>
  one.atMs > other.atMs || (one.atMs === other.atMs && one.seq > other.seq);

export const isSameId = (one: StreamId, other: StreamId): boolean => one.atMs === other.atMs && one.seq === other.seq;
