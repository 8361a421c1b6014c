/**
 * What one reply may claim. Parsers allocate and recurse by what a reply claims to hold, not by what has arrived, so
 * a few bytes could end the process.
 */
export const limits: Readonly<Record<"depth" | "items" | "textBytes" | "lineBytes" | "digits", number>> = {
  depth: 128,
  items: 2 ** 23,
  textBytes: 512 * 2 ** 20,
  lineBytes: 2 ** 20,
  digits: 20,
};

/**
 * From about here on, positive or negative, the parser of ioredis 6 rounds integers, also those that a number holds
 * exactly.
 */
export const longInteger: number = 2 ** 53 - 64;

const code = (character: string): number => character.charCodeAt(0);
const codes = (characters: string): ReadonlySet<number> => new Set([...characters].map(code));

export const cr = 13;
export const lf = 10;
export const plus: number = code("+");
export const minus: number = code("-");
export const zero: number = code("0");
export const nine: number = code("9");

/** The types of RESP2 and RESP3 that are no plain text, line or array. */
export const types: Readonly<
  Record<"error" | "simple" | "integer" | "blobError" | "verbatim" | "null" | "boolean" | "push", number>
> = {
  error: minus,
  simple: plus,
  integer: code(":"),
  blobError: code("!"),
  verbatim: code("="),
  null: code("_"),
  boolean: code("#"),
  push: code(">"),
};

/** What follows the first byte of a reply. */
export interface ReplyType {
  readonly form: "line" | "text" | "items" | "integer";
  /** How many items it has for each of its count. */
  readonly factor: number;
  /** Of how many bytes its line consists. */
  readonly bytes: number | undefined;
  /** Of which bytes its line consists. */
  readonly only: ReadonlySet<number> | undefined;
}

const type = (form: ReplyType["form"], rest: Partial<ReplyType> = {}): ReplyType => ({
  form,
  factor: 1,
  bytes: undefined,
  only: undefined,
  ...rest,
});
const digits = "+-0123456789";

const byType: ReadonlyMap<string, ReplyType> = new Map([
  ["+", type("line")],
  ["-", type("line")],
  [":", type("integer")],
  ["$", type("text")],
  ["*", type("items")],
  ["_", type("line", { bytes: 0 })],
  ["#", type("line", { bytes: 1 })],
  [",", type("line", { only: codes(`${digits}.eEinfa`) })],
  ["(", type("line", { only: codes(digits) })],
  ["=", type("text")],
  ["!", type("text")],
  ["~", type("items")],
  [">", type("items")],
  ["%", type("items", { factor: 2 })],
]);

/** What follows the first byte of a reply, by that byte. */
export const typeOf: readonly (ReplyType | undefined)[] = Array.from({ length: 256 }, (_, byte) =>
  byType.get(String.fromCharCode(byte)),
);
