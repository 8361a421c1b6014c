import type { Command } from "@continuum-cache/core";
import { type Bulk, handOut, type KeyWrite, never } from "@continuum-cache/transport-memory/kit";
import { checkedRecord } from "./checked-record.ts";
import type { Intent } from "./intent.ts";
import type { Fate, OwnStates } from "./noting.ts";

/** What happens to a journal, in the order in which it happens: the same again makes the same journal. */
export type JournalRecord =
  /**
   * A write was taken down, at a time. `own`: what of the key was known, with the first write to it. `mutations`: how many it
   * stands for, 1 where it is missing.
   */
  | {
      readonly kind: "write";
      readonly write: KeyWrite;
      readonly atMs: number;
      readonly fate: Fate;
      readonly own?: OwnStates;
      readonly mutations?: number;
    }
  /** Keys were deleted, each by so many mutations. */
  | { readonly kind: "deletes"; readonly keys: readonly Bulk[]; readonly mutations: readonly number[] }
  | { readonly kind: "invalidate"; readonly glob: string; readonly mutations?: number }
  /** What was intended for a key is over. */
  | { readonly kind: "forget"; readonly key: Bulk }
  /** All that was there is on its way to the primary, under this name. */
  | { readonly kind: "begin"; readonly id: string }
  /** The primary has confirmed the next so many batches of it. */
  | { readonly kind: "confirm"; readonly batches: number };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeRecord(record: JournalRecord): Uint8Array {
  return encoder.encode(JSON.stringify(record, replacer));
}

/** @throws SyntaxError or TypeError when these bytes are no record. */
export function decodeRecord(bytes: Uint8Array): JournalRecord {
  return checkedRecord(JSON.parse(decoder.decode(bytes), reviver));
}

/** What JSON has no word for stands in an object of one member. */
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

/** The shortest records that make an intent. They hold parts of it, which may change: encode them at once. */
export function* writeRecordsOf(intent: Intent): Iterable<JournalRecord> {
  const { own, sinceMs: atMs } = intent;
  let { mutations } = intent;
  let knowledge = own;
  for (const write of writesOf(intent)) {
    // What stood behind a delete is of no interest.
    const told = write.kind === "delete" ? undefined : knowledge;
    yield { kind: "write", write, atMs, fate: "none", ...(told && { own: told }), mutations };
    if (told) knowledge = undefined;
    mutations = 0;
  }
}

function writesOf({
  key,
  deleted,
  set,
  counter,
  head,
  tail,
  changes,
  firstExpiresAtMs,
  expiresAtMs,
}: Intent): KeyWrite[] {
  return [
    ...(deleted ? [{ kind: "delete", key } as const] : []),
    ...(firstExpiresAtMs === undefined ? [] : [{ kind: "expire", key, expiresAtMs: firstExpiresAtMs } as const]),
    ...(set ? [{ kind: "set", key, ...set } as const] : []),
    ...(counter === undefined ? [] : [{ kind: "add", key, difference: counter } as const]),
    ...(head ? [{ kind: "push", key, end: "head", items: head } as const] : []),
    ...(tail ? [{ kind: "push", key, end: "tail", items: tail } as const] : []),
    ...(changes ?? []).map((change) => ({ kind: "change", key, ...change }) as const),
    ...(expiresAtMs === undefined ? [] : [{ kind: "expire", key, expiresAtMs } as const]),
  ];
}

/** The command that does a write again. */
export function commandOf(write: KeyWrite): Command {
  const { key } = write;
  switch (write.kind) {
    case "delete":
      return ["DEL", key];
    case "set":
      return ["SET", key, handOut(write.value), ...endOf(write)];
    case "add":
      return ["INCRBY", key, String(write.difference)];
    case "push":
      return [write.end === "head" ? "LPUSH" : "RPUSH", key, ...write.items];
    case "pop":
      return [write.end === "head" ? "LPOP" : "RPOP", key, write.count];
    case "expire":
      return write.expiresAtMs === never ? ["PERSIST", key] : ["PEXPIREAT", key, write.expiresAtMs];
    case "change":
      return [...namesOf(write.name), key, ...write.args];
  }
}

/** A command's name, and its subcommand's if there is one. */
function namesOf(name: string): [string, ...string[]] {
  const [first = "", ...more] = name.split(" ");
  return [first, ...more];
}

function endOf({ keepTtl, expiresAtMs }: Extract<KeyWrite, { kind: "set" }>): (string | number)[] {
  if (keepTtl) return ["KEEPTTL"];
  return expiresAtMs === never ? [] : ["PXAT", expiresAtMs];
}
