import { CodecError } from "../errors/codec-error.ts";
import { maxDepth } from "./value-check.ts";

const quote = 0x22;
const backslash = 0x5c;
const openList = 0x5b;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;
const zero = 0x30;
const nine = 0x39;
const point = 0x2e;
const smallE = 0x65;
const bigE = 0x45;
const plus = 0x2b;
const minus = 0x2d;

/** A whole number below 2^53 has at most 16 digits. */
const exactDigits = 16;

/** Many digits in a row, or an exponent that may lead to Infinity. */
const mayBeInexact = /\d{16}|[eE]\+?\d{3}/;

/**
 * Looks through JSON text before it is parsed, in one pass that takes no memory.
 *
 * @returns where the first number stands that JavaScript would round, or take for Infinity; `undefined` when there is none.
 * @throws CodecError when the text has more levels than a value may have.
 */
export function scanJson(text: string): { readonly from: number; readonly to: number } | undefined {
  if (text.length <= 2 * maxDepth && !mayBeInexact.test(text)) return undefined;
  let depth = 0;
  let inexact: { readonly from: number; readonly to: number } | undefined;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === quote) {
      at = endOfText(text, at);
    } else if (char === openList || char === openObject) {
      if (++depth > maxDepth) throw new CodecError("json", `Expected JSON of at most ${maxDepth} levels, got more`);
    } else if (char === closeList || char === closeObject) {
      depth--;
    } else if (char >= zero && char <= nine) {
      const number = numberAt(text, at);
      if (!number.exact) inexact ??= { from: text.charCodeAt(at - 1) === minus ? at - 1 : at, to: number.end };
      at = number.end - 1;
    }
  }
  return inexact;
}

/** The place of the quotation mark that ends the text which begins at `start`. */
function endOfText(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}

function numberAt(text: string, start: number): { readonly end: number; readonly exact: boolean } {
  let end = start;
  let whole = true;
  let exponent = false;
  for (; end < text.length; end++) {
    const char = text.charCodeAt(end);
    if (char === point) whole = false;
    else if (char === smallE || char === bigE) exponent = true;
    else if ((char < zero || char > nine) && !(exponent && (char === plus || char === minus))) break;
  }
  if (exponent) return { end, exact: Number.isFinite(Number(text.slice(start, end))) };
  if (!whole || end - start < exactDigits) return { end, exact: true };
  const digits = text.slice(start, end);
  return { end, exact: String(Number(digits)) === digits };
}
