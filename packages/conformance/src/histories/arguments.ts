import type { Argument, Command } from "@continuum-cache/core";
import fc from "fast-check";

/** A command of any name. */
export type CommandArbitrary = fc.Arbitrary<Command>;

/** Few keys, so that commands meet each other's values. */
export const key: fc.Arbitrary<string> = fc.constantFrom(
  ...["s1", "s2", "h1", "h2", "l1", "l2", "z1", "z2", "x1", "x2", "k*"],
);

/** Mostly the keys of one type: where nearly every command says WRONGTYPE, little is compared. */
const mostly = (...names: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: key });
export const stringKey: fc.Arbitrary<string> = mostly("s1", "s2");
export const hashKey: fc.Arbitrary<string> = mostly("h1", "h2");
export const listKey: fc.Arbitrary<string> = mostly("l1", "l2");
export const sortedSetKey: fc.Arbitrary<string> = mostly("z1", "z1", "z2");
export const streamKey: fc.Arbitrary<string> = mostly("x1", "x1", "x1", "x2");

export const field: fc.Arbitrary<string> = fc.constantFrom("f1", "f2", "f3", "", "föö");

const texts = [
  ...["", "a", "b", "hello world", "héllo 🧠", "line\r\nend", "\0", "null", "true"],
  ...["0", "1", "10", "-5", "007", " 1", "1 ", "+1", "-0", "3.5", "1e3", "0x10", "inf", "nan"],
  ...["9223372036854775807", "-9223372036854775808", "9223372036854775808", "9007199254740993"],
];

/** Values that commands read as text, as whole numbers, as floats, or as none of them. */
export const value: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<Argument>(...texts) },
  { weight: 2, arbitrary: fc.integer({ min: -20, max: 20 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12, unit: "grapheme" }) },
);

/** Bytes that are no text. */
export const bytes: fc.Arbitrary<Argument> = fc.constantFrom(
  new Uint8Array([0xff]),
  new Uint8Array([0x00, 0xc1, 0xff, 0x0d, 0x0a]),
  new Uint8Array([0x61, 0x80]),
);

/** Indices from both ends, in and out of range. */
export const index: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: -6, max: 6 }) },
  { weight: 1, arbitrary: fc.constantFrom<Argument>(100, -100, "x", "1.5", "") },
);

/** Members of sorted sets, some of which sort differently by bytes than by characters. */
export const member: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom<Argument>("a", "b", "c", "d", "B", "ab", "") },
  { weight: 2, arbitrary: fc.constantFrom<Argument>("é", "\ufffd", "🧠") },
  { weight: 1, arbitrary: fc.constantFrom<Argument>(new Uint8Array([0xff]), new Uint8Array([0x61, 0x80])) },
);

/** Scores, few of which are none. */
export const score: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -3, max: 6 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Argument>("0.1", "-1.5", "3.0", "1e3", "1e-7", "-0", "1e21", "123456789.125"),
  },
  { weight: 1, arbitrary: fc.constantFrom<Argument>("inf", "-inf", "+Infinity", "0x10", "1e400", "1e-400") },
  { weight: 1, arbitrary: fc.constantFrom<Argument>("x", "", " 1", "1 ", "1e", ".", "--1") },
);

/** One end of a range of scores. */
export const scoreBound: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Argument>("-inf", "+inf", "(-inf", "(inf") },
  { weight: 4, arbitrary: score },
  { weight: 3, arbitrary: score.map((one) => `(${one}`) },
);

/** What counters are raised by. */
export const amount: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -100, max: 100 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Argument>(
      "9223372036854775807",
      "-9223372036854775808",
      "9223372036854775808",
      "x",
      "1.5",
      "",
      " 1",
    ),
  },
);

/** Ids of a stream's entries: few, so that they meet; mostly rising, so that many are taken. */
export const streamId: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.nat(6), fc.nat(4)).map(([ms, seq]) => `${ms}-${seq}`) },
  { weight: 2, arbitrary: fc.nat(9).map((ms) => `${ms}-*`) },
  { weight: 3, arbitrary: fc.constant("9-*") },
  { weight: 2, arbitrary: fc.nat(9) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Argument>(
      ...["0-0", "-", "+", "x", "", "1-", "-1", "1-x", "007", "5-+3", "18446744073709551615-18446744073709551615"],
      ...["18446744073709551616-0", "5-18446744073709551615", "1-1-1"],
    ),
  },
);

/** Ids of entries that may well be there. */
export const takenId: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 5, arbitrary: fc.nat(5).map((seq) => `9-${seq}`) },
  { weight: 3, arbitrary: fc.nat(9).map((ms) => `${ms}-0`) },
  { weight: 1, arbitrary: streamId },
);

/** One end of a range of ids. */
export const streamBound: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Argument>("-", "+") },
  { weight: 4, arbitrary: streamId },
  { weight: 2, arbitrary: streamId.map((id) => `(${id}`) },
);

/** Few names of groups and consumers, so that they meet; one of them sorts differently by bytes than by characters. */
export const groupName: fc.Arbitrary<string> = fc.oneof(
  { weight: 14, arbitrary: fc.constantFrom("g1", "g1", "g1", "g2") },
  { weight: 1, arbitrary: fc.constantFrom("", "\ufffd", "🧠", "g") },
);
export const consumerName: fc.Arbitrary<string> = fc.oneof(
  { weight: 14, arbitrary: fc.constantFrom("c1", "c2", "c3") },
  { weight: 1, arbitrary: fc.constantFrom("", "COUNT", "\ufffd", "🧠") },
);

/**
 * How long an entry must have been left alone: not at all, or longer than any history lasts. Times between would depend
 * on how fast each server is.
 */
export const minIdle: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<Argument>(0, 0, 0, -5) },
  { weight: 3, arbitrary: fc.constantFrom<Argument>(3_600_000, 100_000_000) },
  { weight: 1, arbitrary: fc.constantFrom<Argument>("x", "", "1.5") },
);

/** Short decimals: long ones differ in their last digits between a long double and everything else. */
export const decimal: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -400, max: 400 }).map((quarters) => quarters / 4) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Argument>("0.1", "3.14", "-0.3", "1e3", "5.0e2", "x", "", "nan", "inf", " 1"),
  },
);

/**
 * Times to live, all so long that nothing expires by chance. Drawn from many, so that two are never compared with each
 * other that differ only by the millisecond in which they were given.
 */
const ttlSeconds: fc.Arbitrary<Argument> = fc.noShrink(fc.integer({ min: 10_000, max: 10_000_000 }));
const farSeconds: fc.Arbitrary<number> = fc.noShrink(fc.integer({ min: 4_102_444_800, max: 4_202_444_800 }));
/** No times to live: refused, or in the past. */
const oddTimes: fc.Arbitrary<Argument> = fc.constantFrom<Argument>(
  0,
  -1,
  "x",
  "",
  "1.5",
  "9223372036854775807",
  "-9223372036854775808",
);

export type TimeUnit = "seconds" | "milliseconds" | "unix-seconds" | "unix-milliseconds";

/** A time as this unit counts it, now and then none. */
export function time(unit: TimeUnit): fc.Arbitrary<Argument> {
  const right: Readonly<Record<TimeUnit, fc.Arbitrary<Argument>>> = {
    seconds: ttlSeconds,
    milliseconds: ttlSeconds.map((seconds) => Number(seconds) * 1_000),
    "unix-seconds": farSeconds,
    "unix-milliseconds": farSeconds.map((seconds) => seconds * 1_000 + 123),
  };
  return fc.oneof({ weight: 8, arbitrary: right[unit] }, { weight: 1, arbitrary: oddTimes });
}

/** Words in any case, as Redis takes them. */
export function word(...words: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...words) },
    { weight: 1, arbitrary: fc.constantFrom(...words.map((one) => one.toLowerCase())) },
  );
}

/** Between `min` and `max` of one kind of argument. */
export function several<T>(arbitrary: fc.Arbitrary<T>, min: number = 1, max: number = 4): fc.Arbitrary<T[]> {
  return fc.array(arbitrary, { minLength: min, maxLength: max });
}

/** Some parts of a command, one after the other. */
export function parts(...groups: readonly fc.Arbitrary<readonly Argument[]>[]): fc.Arbitrary<Argument[]> {
  return fc.tuple(...groups).map((lists) => lists.flat());
}

/** The parts half of the time. */
export function maybe(...groups: readonly fc.Arbitrary<readonly Argument[]>[]): fc.Arbitrary<readonly Argument[]> {
  return fc.oneof(fc.constant<readonly Argument[]>([]), parts(...groups));
}

/** A command of this name: single arguments, then groups of them. */
export function command(
  name: string,
  single: readonly fc.Arbitrary<Argument>[],
  ...groups: readonly fc.Arbitrary<readonly Argument[]>[]
): CommandArbitrary {
  return fc.tuple(fc.tuple(...single), parts(...groups)).map(([first, rest]): Command => [name, ...first, ...rest]);
}
