import type { Bulk } from "../values/bulk.ts";
import { notAFloat } from "../values/refusals.ts";

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const hexadecimal = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i;
const named = /^([+-]?)(inf(?:inity)?|nan(?:\(\w*\))?)$/i;

/** A number as C's `strtod` reads it, the whole text or none of it; `undefined` when it is none. */
export function parseDouble(text: string): number | undefined {
  if (decimal.test(text)) return Number(text);
  const name = named.exec(text);
  if (name) return /^n/i.test(name[2] ?? "") ? Number.NaN : name[1] === "-" ? -Infinity : Infinity;
  const [, sign, whole, part = "", exponent = "0"] = hexadecimal.exec(text) ?? [];
  if (whole === undefined || whole + part === "") return undefined;
  const size = Number(BigInt(`0x${whole}${part}`)) * 2 ** (Number(exponent) - 4 * part.length);
  return sign === "-" ? -size : size;
}

/** A score argument. @throws CommandError "value is not a valid float". */
export function score(bulk: Bulk): number {
  const value = typeof bulk === "string" ? parseDouble(bulk) : undefined;
  // Beyond what a double holds, either way, is no number to Redis.
  const isOutOfRange =
    value !== undefined &&
    ((Math.abs(value) === Infinity && !named.test(String(bulk))) || (value === 0 && /[1-9a-f]/i.test(digitsOf(bulk))));
  if (value === undefined || Number.isNaN(value) || isOutOfRange) throw notAFloat();
  return value;
}

/** The digits of a number's text, its exponent and its mark of being hexadecimal left out. */
const digitsOf = (bulk: Bulk): string =>
  /^[+-]?0x/i.test(String(bulk)) ? String(bulk).replace(/^[+-]?0x|p.*$/gi, "") : String(bulk).replace(/e.*$/i, "");

/** A score as Redis 7.0 writes it: 17 digits, less the zeros at their end. */
export function scoreText(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0";
  const sign = value < 0 ? "-" : "";
  const { digits, exponent } = significant(Math.abs(value));
  if (exponent < -4 || exponent >= shownDigits) {
    const power = `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
    return `${sign}${withPoint(digits, 1)}e${power}`;
  }
  return sign + (exponent < 0 ? withPoint("0".repeat(-exponent) + digits, 1) : withPoint(digits, exponent + 1));
}

const shownDigits = 17;

/** The first digits, rounded as C does: a tie goes to the even digit, where JavaScript takes the larger. */
function significant(value: number): { readonly digits: string; readonly exponent: number } {
  const [exact = "", power] = value.toExponential(60).split("e");
  const all = exact.replace(".", "");
  const isTie = /^50*$/.test(all.slice(shownDigits)) && Number(all[shownDigits - 1]) % 2 === 0;
  if (isTie) return { digits: all.slice(0, shownDigits), exponent: Number(power) };
  const [rounded = "", roundedPower] = value.toExponential(shownDigits - 1).split("e");
  return { digits: rounded.replace(".", ""), exponent: Number(roundedPower) };
}

/** Digits with a point behind so many of them, without zeros at their end. */
function withPoint(digits: string, whole: number): string {
  const part = digits.slice(whole).replace(/0+$/, "");
  return digits.slice(0, whole) + (part === "" ? "" : `.${part}`);
}
