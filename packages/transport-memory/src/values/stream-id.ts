import type { Bulk } from "./bulk.ts";
import { refusal } from "./refusals.ts";

/** The id of a stream's entry: a time, and a number within it. Both have 64 bits. */
export interface StreamId {
  readonly ms: bigint;
  readonly seq: bigint;
}

export const largest: bigint = 2n ** 64n - 1n;
export const firstId: StreamId = { ms: 0n, seq: 0n };
export const lastId: StreamId = { ms: largest, seq: largest };

/** Negative, 0 or positive, as the first comes before, is, or comes after the other. */
export function compareIds(one: StreamId, other: StreamId): number {
  if (one.ms !== other.ms) return one.ms < other.ms ? -1 : 1;
  if (one.seq !== other.seq) return one.seq < other.seq ? -1 : 1;
  return 0;
}

export function idText({ ms, seq }: StreamId): string {
  return `${ms}-${seq}`;
}

/** The next id there can be; nothing after the last. */
export function idAfter({ ms, seq }: StreamId): StreamId | undefined {
  if (seq < largest) return { ms, seq: seq + 1n };
  return ms < largest ? { ms: ms + 1n, seq: 0n } : undefined;
}

export function idBefore({ ms, seq }: StreamId): StreamId | undefined {
  if (seq > 0n) return { ms, seq: seq - 1n };
  return ms > 0n ? { ms: ms - 1n, seq: largest } : undefined;
}

/** An id; where only its time is given it has this number. @throws CommandError when it is none. */
export function parseId(bulk: Bulk, missingSeq: bigint): StreamId {
  const id = parsePartialId(bulk);
  if (id.seq === "*") throw invalidId();
  return { ms: id.ms, seq: id.seq ?? missingSeq };
}

/** An id whose number may be left open, or left to Redis: `5-*`. */
export function parsePartialId(bulk: Bulk): { readonly ms: bigint; readonly seq: bigint | "*" | undefined } {
  const match = typeof bulk === "string" ? /^(\s*\+?\d+)(?:-(\*|\s*\+?\d+))?$/.exec(bulk) : null;
  if (!match || match[0].length > 127) throw invalidId();
  return { ms: unsigned(match[1]), seq: match[2] === undefined || match[2] === "*" ? match[2] : unsigned(match[2]) };
}

/** An id, or the first or the last there can be. @throws CommandError when it is none. */
export function parseBound(bulk: Bulk, missingSeq = 0n): StreamId {
  if (bulk === "-") return firstId;
  return bulk === "+" ? lastId : parseId(bulk, missingSeq);
}

/** Whether a word is an id. */
export function isId(bulk: Bulk): boolean {
  try {
    parseId(bulk, 0n);
    return true;
  } catch {
    // Whatever else it is, it is for others to say.
    return false;
  }
}

function unsigned(digits: string | undefined): bigint {
  const value = BigInt((digits ?? "").trim().replace("+", ""));
  if (value > largest) throw invalidId();
  return value;
}

const invalidId = () => refusal("ERR Invalid stream ID specified as stream command argument");
