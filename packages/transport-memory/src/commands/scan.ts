import { compileGlob } from "@continuum-cache/core/kit";
import { index } from "../numbers/integer.ts";
import { type Bulk, handOut, word } from "../values/bulk.ts";
import { refusal, syntaxError } from "../values/refusals.ts";
import { type CommandRows, row } from "./command-row.ts";

/** What SCAN and HSCAN can be asked besides the cursor. */
export interface ScanOptions {
  readonly count: number;
  matches(bulk: Bulk): boolean;
  /** Only SCAN knows types. */
  readonly type?: string;
}

const largestCursor = 2n ** 64n - 1n;

/** A cursor argument, as a number. @throws CommandError "invalid cursor". */
export function scanCursor(bulk: Bulk): number {
  if (typeof bulk !== "string" || !/^\d*$/.test(bulk) || BigInt(bulk) > largestCursor) {
    throw refusal("ERR invalid cursor");
  }
  return Number(bulk);
}

/** Reads `MATCH pattern`, `COUNT n` and, where it is allowed, `TYPE name`. */
export function scanOptions(words: readonly Bulk[], allowed: { readonly type: boolean }): ScanOptions {
  let options: ScanOptions = { count: 10, matches: () => true };
  for (let at = 0; at < words.length; at += 2) {
    const name = word(words[at]);
    const value = words[at + 1];
    if (value === undefined) throw syntaxError();
    if (name === "COUNT") {
      const count = index(value);
      if (count < 1) throw syntaxError();
      options = { ...options, count };
    } else if (name === "MATCH") {
      options = { ...options, matches: compileGlob(value) };
    } else if (name === "TYPE" && allowed.type) {
      options = { ...options, type: word(value).toLowerCase() };
    } else {
      throw syntaxError();
    }
  }
  return options;
}

export const scan: CommandRows = {
  SCAN: row(-2, ({ keyspace }, [cursor, ...words]) => {
    const from = scanCursor(cursor);
    const { count, matches, type } = scanOptions(words, { type: true });
    const page = keyspace.page(from, count);
    const found = page.keys
      .filter(matches)
      .filter((key) => type === undefined || keyspace.peek(key)?.value.type === type);
    return [String(page.cursor), found.map(handOut)];
  }),
};
