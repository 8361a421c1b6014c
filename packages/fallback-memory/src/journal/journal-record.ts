import { type Bulk, type KeyWrite, never } from "@continuum-cache/transport-memory/kit";
import { checkedRecord } from "./checked-record.ts";
import type { ExpectedStates } from "./expected-states.ts";
import { type PendingChange, writesOf } from "./pending-change.ts";
import type { Delivery } from "./write-context.ts";

/** An event of a journal. The same records in the same order make the same journal. */
export type JournalRecord =
  /**
   * A write was journaled. `expected`: the known states of its key, with the first write to it. `mutations`: how many
   * it stands for; 1 if missing.
   */
  | {
      readonly kind: "write";
      readonly write: KeyWrite;
      readonly atMs: number;
      readonly delivery: Delivery;
      readonly expected?: ExpectedStates;
      readonly mutations?: number;
    }
  /** Keys were deleted, each by so many mutations. */
  | { readonly kind: "deletes"; readonly keys: readonly Bulk[]; readonly mutations: readonly number[] }
  | { readonly kind: "invalidate"; readonly glob: string; readonly mutations?: number }
  /** The pending change of a key was dropped. */
  | { readonly kind: "forget"; readonly key: Bulk }
  /** The replay of all changes until here began, under this id. */
  | { readonly kind: "begin"; readonly id: string }
  /** The primary has confirmed the next so many batches of the replay. */
  | { readonly kind: "confirm"; readonly batches: number };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeRecord(record: JournalRecord): Uint8Array {
  return encoder.encode(JSON.stringify(record, replacer));
}

/** @throws SyntaxError or TypeError when the bytes are no record. */
export function decodeRecord(bytes: Uint8Array): JournalRecord {
  return checkedRecord(JSON.parse(decoder.decode(bytes), reviver));
}

/** Writes a value that JSON lacks as an object with one member. */
function replacer(_: string, value: unknown): unknown {
  if (value === never) return { $never: true };
  if (typeof value === "bigint") return { $int: String(value) };
  if (value instanceof Uint8Array) return { $bytes: Array.from(value, (byte) => String.fromCharCode(byte)).join("") };
  if (value instanceof Map) return { $map: [...value] };
  return value;
}

function reviver(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("$never" in value) return never;
  if ("$int" in value) return BigInt(String(value.$int));
  if ("$bytes" in value) return Uint8Array.from(String(value.$bytes), (char) => char.charCodeAt(0));
  if ("$map" in value) return new Map(value.$map as [string, number][]);
  return value;
}

/** The shortest records that make a pending change. They share its lists, which may change: encode them at once. */
export function* recordsOf(change: PendingChange): Iterable<JournalRecord> {
  const { sinceMs: atMs } = change;
  let { expected, mutations } = change;
  for (const write of writesOf(change)) {
    // After a delete the earlier states of the key don't matter.
    const known = write.kind === "delete" ? undefined : expected;
    yield { kind: "write", write, atMs, delivery: "none", ...(known && { expected: known }), mutations };
    if (known) expected = undefined;
    mutations = 0;
  }
}
