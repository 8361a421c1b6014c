import { type Bulk, sameBulk, word } from "../values/bulk.ts";
import { noDigests, refusal, syntaxError } from "../values/refusals.ts";
import { type TimeUnit, timeUnits } from "./expire-time.ts";

/** The options of SET and GETEX. */
export interface StringOptions {
  readonly condition?: "NX" | "XX";
  readonly comparison?: Comparison;
  /** GET: replies with the old value. */
  readonly get?: boolean;
  /** KEEPTTL or PERSIST: what to do with the expiry of the key. */
  readonly keep?: "KEEPTTL" | "PERSIST";
  readonly expiry?: { readonly time: Bulk; readonly unit: TimeUnit };
}

/** What must hold of the stored string: it equals an operand (EQ) or not (NE), itself or by its digest (D). */
export interface Comparison {
  readonly name: "IFEQ" | "IFNE" | "IFDEQ" | "IFDNE";
  readonly operand: Bulk;
}

/** Computes the digest of a string: XXH3 with 64 bits, in 16 hexadecimal digits. */
export type Digest = (bulk: Bulk) => string;

const comparisons: readonly string[] = ["IFEQ", "IFNE", "IFDEQ", "IFDNE"] satisfies Comparison["name"][];
export const isComparison = (name: string): name is Comparison["name"] => comparisons.includes(name);

/**
 * Whether a comparison holds; a key that does not exist equals nothing.
 *
 * @throws CommandError when a digest can't be one, or this memory computes none.
 */
export function holds({ name, operand }: Comparison, stored: Bulk | undefined, digest: Digest | undefined): boolean {
  const isEqual = name === "IFEQ" || name === "IFDEQ";
  if (stored === undefined) return !isEqual;
  if (name === "IFEQ" || name === "IFNE") return sameBulk(stored, operand) === isEqual;
  if (typeof operand !== "string" || operand.length !== 16) {
    throw refusal("ERR must be exactly 16 hexadecimal characters");
  }
  if (!digest) throw noDigests();
  return (digest(stored) === operand.toLowerCase()) === isEqual;
}

type Mutable<Type> = { -readonly [Name in keyof Type]: Type[Name] };

/** Reads the options that a command allows. @throws CommandError "syntax error". */
export function stringOptions(command: "SET" | "GETEX", words: readonly Bulk[]): StringOptions {
  const options: Mutable<StringOptions> = {};
  let unitName: string | undefined;
  for (let at = 0; at < words.length; at++) {
    const name = word(words[at]);
    const unit = timeUnits[name];
    const time = words[at + 1];
    if (unit && time !== undefined && !options.keep && (unitName ?? name) === name) {
      unitName = name;
      options.expiry = { time, unit };
      at++;
    } else if (command === "SET" && (name === "NX" || name === "XX") && isAlone(options, name)) {
      options.condition = name;
    } else if (command === "SET" && isComparison(name) && time !== undefined && isAlone(options)) {
      options.comparison = { name, operand: time };
      at++;
    } else if (command === "SET" && name === "GET") {
      options.get = true;
    } else if (name === (command === "SET" ? "KEEPTTL" : "PERSIST") && !options.expiry) {
      options.keep = name;
    } else {
      throw syntaxError();
    }
  }
  return options;
}

/** Whether no other condition was given; one word may stand twice. */
const isAlone = ({ condition, comparison }: StringOptions, name?: string): boolean =>
  !comparison && (condition === undefined || condition === name);
