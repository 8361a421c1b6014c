import { type Bulk, word } from "../values/bulk.ts";
import { syntaxError } from "../values/refusals.ts";
import { type TimeUnit, timeUnits } from "./expire-time.ts";

/** The options of SET and GETEX. */
export interface StringOptions {
  readonly condition?: "NX" | "XX";
  /** GET: replies with the old value. */
  readonly get?: boolean;
  /** KEEPTTL or PERSIST: what to do with the expiry of the key. */
  readonly keep?: "KEEPTTL" | "PERSIST";
  readonly expiry?: { readonly time: Bulk; readonly unit: TimeUnit };
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
    } else if (command === "SET" && (name === "NX" || name === "XX") && (options.condition ?? name) === name) {
      options.condition = name;
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
