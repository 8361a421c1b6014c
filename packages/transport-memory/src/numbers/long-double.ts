import type { Bulk } from "../values/bulk.ts";

// INCRBYFLOAT calculates in the 80-bit numbers of x86: a whole number of at most 64 bits times a power of two. Decimal
// texts, sums and results are exact here and then rounded as the processor does (to nearest, ties to even), so that
// the digits are Redis' own.

/** `mantissa * 2 ** exponent`, the mantissa at most 64 bits long; or an infinity. */
export type LongDouble = { readonly mantissa: bigint; readonly exponent: number } | "inf" | "-inf";

const mantissaBits = 64;
const largestExponent = 16_384 - mantissaBits;
const smallestExponent = -16_445;
/** Redis' own buffer for one number, in bytes. */
const longestText = 5 * 1_024 - 1;
/** So far beyond the range either way that their digits need not be looked at. */
const absurdExponent = 100_000;

const form =
  /^([+-]?)(?:(inf(?:inity)?)|0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?|(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?)$/i;

/** Reads a number as C's `strtold` does, or `undefined` when Redis would not take it. */
export function parseLongDouble(bulk: Bulk): LongDouble | undefined {
  const match = typeof bulk === "string" && bulk.length <= longestText ? form.exec(bulk) : null;
  if (!match) return undefined;
  const [, sign, infinite, hexWhole, hexPart = "", hexExponent, whole = "", part = "", exponent] = match;
  if (infinite) return sign === "-" ? "-inf" : "inf";
  const isHex = hexWhole !== undefined;
  const digits = isHex ? hexWhole + hexPart : whole + part;
  if (digits === "") return undefined;
  const magnitude = BigInt((isHex ? "0x" : "") + digits);
  const signed = sign === "-" ? -magnitude : magnitude;
  if (magnitude === 0n) return { mantissa: 0n, exponent: 0 };
  const scale = Number((isHex ? hexExponent : exponent) ?? 0);
  if (Math.abs(scale) > absurdExponent) return undefined;
  const power = scale - part.length;
  const value = isHex
    ? round(signed, 1n, scale - 4 * hexPart.length)
    : power >= 0
      ? round(signed * 10n ** BigInt(power), 1n, 0)
      : round(signed, 10n ** BigInt(-power), 0);
  // Out of range, either way, is no number to Redis.
  return typeof value === "string" || value.mantissa === 0n ? undefined : value;
}

/** The sum, rounded; `undefined` when there is none (an infinity in it, or reached by it). */
export function addLongDoubles(a: LongDouble, b: LongDouble): LongDouble | undefined {
  if (typeof a === "string" || typeof b === "string") return undefined;
  const exponent = Math.min(a.exponent, b.exponent);
  const aligned = (value: { mantissa: bigint; exponent: number }): bigint =>
    value.mantissa << BigInt(value.exponent - exponent);
  const sum = round(aligned(a) + aligned(b), 1n, exponent);
  return typeof sum === "string" ? undefined : sum;
}

/** As Redis writes it: 17 decimals, less the zeros at their end. */
export function formatLongDouble(value: Exclude<LongDouble, string>): string {
  const { mantissa, exponent } = value;
  const scaled = mantissa * 10n ** 17n;
  const digits = exponent >= 0 ? scaled << BigInt(exponent) : divide(scaled, 1n << BigInt(-exponent));
  const text = abs(digits).toString().padStart(18, "0");
  const decimals = text.slice(-17).replace(/0+$/, "");
  const number = decimals === "" ? text.slice(0, -17) : `${text.slice(0, -17)}.${decimals}`;
  return digits < 0n && number !== "0" ? `-${number}` : number;
}

/** `numerator / denominator * 2 ** exponent` to 64 bits. */
function round(numerator: bigint, denominator: bigint, exponent: number): LongDouble {
  if (numerator === 0n) return { mantissa: 0n, exponent: 0 };
  // Enough bits that the quotient has 64 at least; then as few bits as needed are rounded away, once.
  const shift = mantissaBits + 2 + bitLength(denominator) - bitLength(abs(numerator));
  const [top, bottom] =
    shift > 0 ? [numerator << BigInt(shift), denominator] : [numerator, denominator << BigInt(-shift)];
  const scale = exponent - shift;
  const excess = bitLength(abs(top) / bottom) - mantissaBits;
  const dropped = Math.max(excess, smallestExponent - scale);
  const mantissa = divide(top, bottom << BigInt(dropped));
  const rounded = scale + dropped;
  const overflows = rounded + bitLength(abs(mantissa)) > largestExponent + mantissaBits;
  if (overflows) return numerator < 0n ? "-inf" : "inf";
  return { mantissa, exponent: rounded };
}

/** Rounds to the nearest whole number, a tie to the even one. */
function divide(numerator: bigint, denominator: bigint): bigint {
  const magnitude = abs(numerator);
  const quotient = magnitude / denominator;
  const twice = 2n * (magnitude % denominator);
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  const rounded = up ? quotient + 1n : quotient;
  return numerator < 0n ? -rounded : rounded;
}

const abs = (value: bigint): bigint => (value < 0n ? -value : value);
const bitLength = (value: bigint): number => (value === 0n ? 0 : value.toString(16).length * 4 - leadingZeros(value));
const leadingZeros = (value: bigint): number => Math.clz32(Number.parseInt(value.toString(16)[0] as string, 16)) - 28;
