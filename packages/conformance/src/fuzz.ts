import { createRandom, type Random } from "./random.ts";

/** How a decoder or parser is run, which errors it may throw, and how many inputs it gets. */
export interface FuzzRunOptions<Input> {
  /** Runs it on one input. */
  run(input: Input): unknown;
  /** Whether it may reject an input with this error. */
  isExpected(error: unknown): boolean;
  /** How many inputs. @default 2,000 */
  readonly inputs?: number;
  /** The same seed makes the same inputs. @default 1 */
  readonly seed?: number;
}

/** How to fuzz a decoder or parser of text or bytes. */
export interface FuzzOptions<Input extends string | Uint8Array> extends FuzzRunOptions<Input> {
  /** Inputs that it accepts: the others are made from them. */
  readonly samples: readonly Input[];
  /** Pieces that mean something to it, such as `"redis://"`: they are put in more often than others. @default none */
  readonly pieces?: readonly Input[];
}

/** How to fuzz a parser of other inputs, such as replies. */
export interface FuzzMadeOptions<Input> extends FuzzRunOptions<Input> {
  /** Makes an input. The same number makes the same input. */
  make(seed: number): Input;
}

/** The result of a run. */
export interface FuzzReport<Input> {
  readonly inputs: number;
  readonly rejected: number;
  /** The longest time of one input: the fastest of three runs, so that other work of the machine does not count. */
  readonly worstMs: number;
  readonly worstInput: Input | undefined;
  /** How much the process has grown at its largest, in MiB: of all inputs together. */
  readonly grownMib: number;
}

/**
 * Runs a decoder or parser on hostile inputs: samples that were cut, flipped, repeated, spliced, and made up. It ends
 * with the first error that is not expected, and names the input.
 *
 * @throws Error whose `cause` is the unexpected error.
 *
 * @example
 * ```ts
 * import { fuzz } from "@continuum-cache/conformance";
 * import { isCodecError, json } from "@continuum-cache/core";
 *
 * const report = fuzz({
 *   samples: ['{"a":[1,"2"]}'],
 *   pieces: ["[", "{", '"', "\\u"],
 *   run: (text) => json().decode(text),
 *   isExpected: isCodecError,
 *   inputs: 100,
 * });
 * console.log(report.worstMs, report.rejected);
 * ```
 */
export function fuzz<Input extends string | Uint8Array>(options: FuzzOptions<Input>): FuzzReport<Input> {
  const { samples, pieces = [], seed = 1, ...others } = options;
  const random = createRandom(seed);
  const hostile = typeof samples[0] === "string" ? hostileText : hostileBytes;
  const make = (): Input => hostile(random, samples as readonly never[], pieces as readonly never[]) as Input;
  return fuzzMade({ ...others, seed, make });
}

/**
 * Runs a parser on inputs that are made one by one. It ends with the first error that is not expected, and names the
 * input.
 *
 * @throws Error whose `cause` is the unexpected error.
 *
 * @example
 * ```ts
 * import { fuzzMade } from "@continuum-cache/conformance";
 *
 * const report = fuzzMade({
 *   make: (seed) => [String(seed), "1-0"],
 *   run: ([first]) => BigInt(first as string),
 *   isExpected: (error) => error instanceof SyntaxError,
 *   inputs: 100,
 * });
 * console.log(report.worstMs, report.grownMib);
 * ```
 */
export function fuzzMade<Input>(options: FuzzMadeOptions<Input>): FuzzReport<Input> {
  const { make, run, isExpected } = options;
  const { inputs = 2_000, seed = 1 } = options;
  const startKib = process.resourceUsage().maxRSS;
  let rejected = 0;
  let worstMs = 0;
  let worstInput: Input | undefined;

  const once = (input: Input): { readonly ms: number; readonly error: unknown } => {
    const startedMs = performance.now();
    try {
      run(input);
      return { ms: performance.now() - startedMs, error: undefined };
    } catch (error) {
      return { ms: performance.now() - startedMs, error };
    }
  };

  for (let n = 0; n < inputs; n++) {
    const input = make(seed + n);
    const { ms, error } = once(input);
    if (error !== undefined) {
      if (!isExpected(error))
        throw new Error(`Input ${n} of seed ${seed}: ${shown(input)}: ${String(error).slice(0, 400)}`, {
          cause: error,
        });
      rejected++;
    }
    if (ms <= worstMs) continue;
    const fastestMs = Math.min(ms, once(input).ms, once(input).ms);
    if (fastestMs > worstMs) [worstMs, worstInput] = [fastestMs, input];
  }
  const grownMib = Math.max(0, process.resourceUsage().maxRSS - startKib) / 1_024;
  return { inputs, rejected, worstMs, worstInput, grownMib };
}

/** An input as an error message shows it: enough to tell it from others. */
function shown(input: unknown): string {
  if (typeof input === "string") return `${JSON.stringify(input.slice(0, 400))} (${input.length} characters)`;
  // The seed in the message repeats any other input.
  if (!(input instanceof Uint8Array)) return typeof input;
  const hex = [...input.slice(0, 200)].map((byte) => byte.toString(16).padStart(2, "0"));
  return `${hex.join(" ")} (${input.length} bytes)`;
}

/** The longest input, in bytes or characters. One input in a hundred may be `longFactor` times as long. */
const usualLength = 300;
const longFactor = 60;

/** Bytes that formats treat in a special way: ends of ranges, marks, wrong lengths. */
const tellingBytes = [0, 1, 0x7f, 0x80, 0x8f, 0x91, 0x9f, 0xa0, 0xc0, 0xc1, 0xc7, 0xcf, 0xd4, 0xdb, 0xdd, 0xdf, 0xff];

function hostileBytes(random: Random, samples: readonly Uint8Array[], pieces: readonly Uint8Array[]): Uint8Array {
  const part = (): Uint8Array => {
    if (pieces.length > 0 && random.chance(0.5)) return random.pick(pieces);
    const byte = random.chance(0.5) ? random.pick(tellingBytes) : random.between(0, 255);
    return Uint8Array.of(byte);
  };
  return hostileInput(random, samples, part, {
    join: (parts) => {
      const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const each of parts) {
        joined.set(each, at);
        at += each.length;
      }
      return joined;
    },
    cut: (input, from, to) => input.subarray(from, to),
  });
}

/** Characters that formats treat in a special way, control characters, halves of surrogate pairs. */
const tellingCharacters = [
  ...'[]{}",:\\/*?^-+.%=~|&_ \n\r\t\0eE0129aZ',
  "\u00e9",
  "\ud83d",
  "\ude00",
  "\ufeff",
  "\uffff",
];

function hostileText(random: Random, samples: readonly string[], pieces: readonly string[]): string {
  const part = (): string => {
    if (pieces.length > 0 && random.chance(0.4)) return random.pick(pieces);
    if (random.chance(0.8)) return random.pick(tellingCharacters);
    return String.fromCharCode(random.between(0, 0xffff));
  };
  return hostileInput(random, samples, part, {
    join: (parts) => parts.join(""),
    cut: (input, from, to) => input.slice(from, to),
  });
}

interface Operations<Input> {
  join(parts: readonly Input[]): Input;
  cut(input: Input, from: number, to?: number): Input;
}

function hostileInput<Input extends string | Uint8Array>(
  random: Random,
  samples: readonly Input[],
  part: () => Input,
  { join, cut }: Operations<Input>,
): Input {
  let input = random.chance(0.9) ? random.pick(samples) : part();
  const most = usualLength * (random.chance(0.01) ? longFactor : 1);
  for (let changes = random.between(1, 6); changes > 0; changes--) {
    const at = random.between(0, input.length);
    const to = random.between(at, Math.min(input.length, at + 20));
    switch (random.weighted({ put: 4, replace: 4, cut: 2, end: 1, repeat: 2, splice: 2 })) {
      case "put":
        input = join([cut(input, 0, at), part(), cut(input, at)]);
        break;
      case "replace":
        input = join([cut(input, 0, at), part(), cut(input, at + 1)]);
        break;
      case "cut":
        input = join([cut(input, 0, at), cut(input, to)]);
        break;
      case "end":
        input = cut(input, 0, at);
        break;
      case "repeat": {
        const repeated = random.chance(0.5) ? part() : cut(input, at, to);
        const times = Math.floor(random.next() * (most / Math.max(1, repeated.length)));
        input = join([cut(input, 0, at), ...Array.from({ length: times }, () => repeated), cut(input, at)]);
        break;
      }
      case "splice": {
        const other = random.pick(samples);
        input = join([cut(input, 0, at), cut(other, random.between(0, other.length))]);
        break;
      }
    }
  }
  return input.length <= 4 * most ? input : cut(input, 0, 4 * most);
}
