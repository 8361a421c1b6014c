import type { KeyWrite } from "@continuum-cache/transport-memory/kit";
import type { JournalRecord } from "./journal-record.ts";

// A store may hold records of a later version, or bytes that never were a record. A record is used only if it has
// exactly the shape that the journal relies on.

/** @throws TypeError when the value is no record; the message quotes no part of it. */
export function checkedRecord(value: unknown): JournalRecord {
  if (isRecord(value)) return value;
  throw new TypeError("Expected a journal record of a kind that this version knows, with all its parts");
}

type Test = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Test>>;

const isText: Test = (value) => typeof value === "string";
const isBulk: Test = (value) => isText(value) || value instanceof Uint8Array;
const isBulks: Test = (value) => Array.isArray(value) && value.every(isBulk);
const isCount: Test = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isCounts: Test = (value) => Array.isArray(value) && value.every(isCount);
const isTime: Test = (value) => typeof value === "number" && !Number.isNaN(value);
const isFlag: Test = (value) => typeof value === "boolean";
const isOneOf =
  (...words: readonly unknown[]): Test =>
  (value) =>
    words.includes(value);
const isAbsentOr =
  (test: Test): Test =>
  (value) =>
    value === undefined || test(value);
const isStates: Test = (value) =>
  value instanceof Map && [...value].every(([state, endMs]) => isText(state) && isTime(endMs));
const isOtherwise: Test = (value) => fits(value, { place: isCount, arg: isBulk });

const writeShapes: Readonly<Record<KeyWrite["kind"], Shape>> = {
  delete: {},
  set: { value: isBulk, expiresAtMs: isTime, keepTtl: isFlag },
  add: { difference: (value) => typeof value === "bigint" },
  push: { end: isOneOf("head", "tail"), items: isBulks },
  pop: { end: isOneOf("head", "tail"), count: isCount },
  expire: { expiresAtMs: isTime },
  change: { name: isText, args: isBulks, otherwise: isAbsentOr(isOtherwise), ifWhole: isAbsentOr(isOneOf(true)) },
};

const isWrite: Test = (value) => hasKindOf(value, writeShapes) && fits(value, { key: isBulk });

const shapes: Readonly<Record<JournalRecord["kind"], Shape>> = {
  write: {
    write: isWrite,
    atMs: isTime,
    delivery: isOneOf("none", "unknown"),
    expected: isAbsentOr(isStates),
    mutations: isAbsentOr(isCount),
  },
  deletes: { keys: isBulks, mutations: isCounts },
  invalidate: { glob: isText, mutations: isAbsentOr(isCount) },
  forget: { key: isBulk },
  begin: { id: isText },
  confirm: { batches: isCount },
};

const isRecord = (value: unknown): value is JournalRecord =>
  hasKindOf(value, shapes) &&
  (!fits(value, { kind: isOneOf("deletes") }) || lengthOf(value, "keys") === lengthOf(value, "mutations"));

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
const lengthOf = (value: unknown, name: string): unknown => fieldOf(fieldOf(value, name), "length");

const fits = (value: unknown, shape: Shape): boolean =>
  Object.entries(shape).every(([name, test]) => test(fieldOf(value, name)));

function hasKindOf(value: unknown, known: Readonly<Record<string, Shape>>): boolean {
  const kind = fieldOf(value, "kind");
  const shape = typeof kind === "string" && Object.hasOwn(known, kind) ? known[kind] : undefined;
  return shape !== undefined && fits(value, shape);
}
