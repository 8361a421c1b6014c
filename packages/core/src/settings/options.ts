import { ConfigError } from "../errors/config-error.ts";
import { quoted } from "../errors/quoted.ts";

/**
 * The names of all options of one call or constructor. A name that is missing here, or not an option, does not
 * compile.
 */
export type KnownOptions<Options> = { readonly [Name in keyof Required<Options>]: true };

/**
 * Rejects options that do not exist, so that a misspelt one is never ignored.
 *
 * @param owner - Who takes the options, as the caller wrote it: `"cache.set"`, `"new RateLimiter"`.
 * @throws ConfigError when `options` is no object or has a name that is not in `known`. It quotes what came and names
 *   the closest valid option.
 *
 * @example
 * ```ts
 * import { assertOptions, type KnownOptions } from "@continuum-cache/core/kit";
 *
 * interface GreetOptions {
 *   readonly loud?: boolean;
 * }
 * const known: KnownOptions<GreetOptions> = { loud: true };
 *
 * function greet(name: string, options: GreetOptions = {}): string {
 *   assertOptions("greet", options, known);
 *   return options.loud ? name.toUpperCase() : name;
 * }
 * console.log(greet("Ada", { loud: true }));
 * ```
 */
export function assertOptions<Options extends object>(
  owner: string,
  options: Options | undefined,
  known: KnownOptions<Options>,
): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const [name] = Object.keys(known);
    const expected = name === undefined ? "takes no options" : `takes its options as an object such as { ${name}: … }`;
    throw new ConfigError(owner, `${owner} ${expected}, got ${quoted(options)}`);
  }
  for (const name in options) {
    if (!Object.hasOwn(known, name)) throw unknownOption(owner, name, Object.keys(known));
  }
}

/**
 * Reads an option that counts something.
 *
 * @throws ConfigError that quotes what came when it is not a whole number from `min` to `max`.
 *
 * @example
 * ```ts
 * import { wholeNumberOption } from "@continuum-cache/core/kit";
 *
 * wholeNumberOption("poolSize", 10, { min: 1, max: 1_000 }); // 10
 * ```
 */
export function wholeNumberOption(
  name: string,
  value: unknown,
  { min = 1, max = Number.MAX_SAFE_INTEGER }: { readonly min?: number; readonly max?: number } = {},
): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw new ConfigError(name, `Expected \`${name}\` to be a whole number ${range}, got ${quoted(value)}`);
}

/**
 * Reads an option that is on or off. Absent stays absent.
 *
 * @throws ConfigError that quotes what came when it is neither `true` nor `false`: the text `"false"` would count as
 *   on.
 *
 * @example
 * ```ts
 * import { booleanOption } from "@continuum-cache/core/kit";
 *
 * booleanOption("fallback", false); // false
 * ```
 */
export function booleanOption(name: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === "boolean") return value;
  throw new ConfigError(name, `Expected \`${name}\` to be true or false, got ${quoted(value)}`);
}

/**
 * Reads an option that is a function. Absent stays absent.
 *
 * @throws ConfigError that quotes what came when it is anything else.
 *
 * @example
 * ```ts
 * import { functionOption } from "@continuum-cache/core/kit";
 *
 * functionOption("onProgress", ({ deleted }: { deleted: number }) => console.log(deleted));
 * ```
 */
export function functionOption<Value>(name: string, value: Value): Value {
  if (value === undefined || typeof value === "function") return value;
  throw new ConfigError(name, `Expected \`${name}\` to be a function, got ${quoted(value)}`);
}

/**
 * Reads an option that is one of a few words.
 *
 * @throws ConfigError that quotes what came and lists the words.
 *
 * @example
 * ```ts
 * import { choiceOption } from "@continuum-cache/core/kit";
 *
 * choiceOption("from", "now", ["beginning", "now"]); // "now"
 * ```
 */
export function choiceOption<Choice extends string>(name: string, value: unknown, choices: readonly Choice[]): Choice {
  if (choices.includes(value as Choice)) return value as Choice;
  const list = choices.map((choice) => JSON.stringify(choice)).join(", ");
  const closest = typeof value === "string" ? closestName(value, choices) : undefined;
  const hint = closest === undefined ? "" : ` (did you mean ${JSON.stringify(closest)}?)`;
  throw new ConfigError(name, `Expected \`${name}\` to be one of ${list}, got ${quoted(value)}${hint}`);
}

/**
 * Reads an option that is a text of some form. Absent stays absent.
 *
 * @param form - What the text must match. Default: any text.
 * @param words - What the error calls such a text.
 * @throws ConfigError that quotes what came when it is none.
 *
 * @example
 * ```ts
 * import { textOption } from "@continuum-cache/core/kit";
 *
 * textOption("keyPrefix", "app:"); // "app:"
 * textOption("name", "worker-1", /^[\w-]+$/, "a name of letters, digits and hyphens"); // "worker-1"
 * ```
 */
export function textOption<Value extends string | undefined>(
  name: string,
  value: Value,
  form: RegExp = /^/,
  words: string = "a string",
): Value {
  if (value === undefined || (typeof value === "string" && form.test(value))) return value;
  throw new ConfigError(name, `Expected \`${name}\` to be ${words}, got ${quoted(value)}`);
}

/**
 * Reads the signal of a call. Absent stays absent.
 *
 * @throws ConfigError when it is no AbortSignal.
 *
 * @example
 * ```ts
 * import { signalOption } from "@continuum-cache/core/kit";
 *
 * signalOption(AbortSignal.timeout(1_000));
 * ```
 */
export function signalOption(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined || typeof signal?.addEventListener === "function") return signal;
  throw new ConfigError("signal", `Expected \`signal\` to be an AbortSignal, got ${quoted(signal)}`);
}

function unknownOption(owner: string, name: string, known: readonly string[]): ConfigError {
  const closest = closestName(name, known);
  const hint = closest === undefined ? "" : ` Did you mean \`${closest}\`?`;
  const list = known.length === 0 ? "It takes none" : `Its options are ${known.join(", ")}`;
  return new ConfigError(name, `${owner} has no option ${JSON.stringify(name.slice(0, 40))}.${hint} ${list}`);
}

/** What other libraries call our options. */
const foreignNames: Readonly<Record<string, string>> = {
  ex: "ttl",
  px: "ttl",
  expire: "ttl",
  expires: "ttl",
  expiresin: "ttl",
  expiry: "ttl",
  maxage: "ttl",
  ttlms: "ttl",
  ttlseconds: "ttl",
  prefix: "keyPrefix",
  max: "limit",
  maxrequests: "limit",
  points: "limit",
  windowms: "window",
  duration: "window",
  token: "restToken",
};

/** The name that the caller most likely meant, or undefined when none is near. */
function closestName(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const foreign = foreignNames[wanted];
  if (foreign !== undefined && known.includes(foreign)) return foreign;
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.ceil(wanted.length / 2)) + 1;
  for (const candidate of known) {
    const distance = editDistance(wanted.slice(0, 40), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** How many characters must be inserted, deleted or replaced to turn one text into the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}
