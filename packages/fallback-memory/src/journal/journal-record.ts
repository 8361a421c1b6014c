import type { Command } from "@continuum-cache/core";
import { never } from "../keyspace/keyspace.ts";
import { type Bulk, handOut } from "../values/bulk.ts";
import type { CanonicalWrite } from "./canonical-write.ts";
import type { Intent } from "./intent.ts";
import type { Fate, OwnStates } from "./noting.ts";
import type { Segment } from "./segment.ts";

/** What happens to a journal, in the order in which it happens: the same again makes the same journal. */
export type JournalRecord =
  /** A write was taken down, at a time. `own`: what of the key was known, with the first write to it. */
  | {
      readonly kind: "write";
      readonly write: KeyWrite;
      readonly atMs: number;
      readonly fate: Fate;
      readonly own?: OwnStates;
    }
  | { readonly kind: "invalidate"; readonly glob: string }
  /** What was intended for a key is over. */
  | { readonly kind: "forget"; readonly key: Bulk }
  /** All that was there is on its way to the primary, under this name. */
  | { readonly kind: "begin"; readonly id: string }
  /** The primary has confirmed the next batch of it. */
  | { readonly kind: "confirm" };

/** A write to one key. */
export type KeyWrite = Exclude<CanonicalWrite, { kind: "flush" }>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeRecord(record: JournalRecord): Uint8Array {
  return encoder.encode(JSON.stringify(record, replacer));
}

/** @throws SyntaxError when these bytes are no record. */
export function decodeRecord(bytes: Uint8Array): JournalRecord {
  return JSON.parse(decoder.decode(bytes), reviver) as JournalRecord;
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

/** The shortest records that make a segment: its patterns, then for each key what is intended for it. */
export function* recordsOf(segment: Segment): Iterable<JournalRecord> {
  for (const glob of segment.invalidations.keys()) yield { kind: "invalidate", glob };
  for (const intent of segment.intents.values()) {
    const { own, sinceMs: atMs } = intent;
    for (const [index, write] of writesOf(intent).entries()) {
      yield { kind: "write", write, atMs, fate: "none", ...(index === 0 && own && { own }) };
    }
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
