import { ConfigError } from "../errors/config-error.ts";
import { quoted } from "../errors/quoted.ts";
import { assertOptions, functionOption, type KnownOptions } from "../settings/options.ts";
import { isWellFormed } from "../text/text.ts";
import { type Duration, toMs } from "../time/duration.ts";
import { assertKey } from "./key-limit.ts";
import { madeKeys } from "./made-keys.ts";
import { isSchema, type StandardSchema } from "./standard-schema.ts";
import type { Key } from "./typed-key.ts";

/** The parameter names in a template: `"order:{region}:{id}"` has `"region" | "id"`. */
type ParameterOf<Template extends string> = Template extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParameterOf<Rest>
  : never;

/** A value for each parameter of a template. */
export type KeyParameters<Template extends string> = { readonly [Name in ParameterOf<Template>]: string | number };

/** The parameters of a key as texts. */
export type ParsedParameters<Template extends string> = { [Name in ParameterOf<Template>]: string };

/** What a cache needs of a key pattern: which keys are of the family, and what holds for their values. */
export interface KeyFamily {
  /** How long values of this family live when the call does not say, in milliseconds. */
  readonly ttlMs: number | undefined;
  /** What values of this family look like; absent where the pattern does not say. */
  readonly schema?: StandardSchema | undefined;
  /** The tags of the values of one key; absent where the pattern gives none. */
  readonly tagsOf?: ((key: string) => readonly string[]) | undefined;
  /** The parameters of a key of this family, or `undefined` when the key is of another. */
  parse(key: string): object | undefined;
}

/** What all keys of a family have in common. */
export interface KeyPatternOptions<Template extends string = string, Value = never> {
  /** How long values of this family live when the call does not say. @default the cache's `defaultTtl` */
  readonly ttl?: Duration;
  /**
   * What the values look like, by a schema of zod, valibot or any other library that follows Standard Schema. It gives
   * `get` and its like their types, and a stored value that no longer fits is a miss. @default anything fits
   */
  readonly schema?: StandardSchema<unknown, Value>;
  /** The tags that every value of a key gets, from the parameters of the key: see `invalidateTags`. @default none */
  readonly tags?: (parameters: ParsedParameters<Template>) => readonly string[];
}

const knownOptions: KnownOptions<KeyPatternOptions> = { ttl: true, schema: true, tags: true };

/** A family of keys. Call it to make a key. */
export interface KeyPattern<Template extends string = string, Value = never> extends KeyFamily {
  (
    ...parameters: ParameterOf<Template> extends never ? [] : [parameters: KeyParameters<Template>]
  ): [Value] extends [never] ? string : Key<Value>;
  readonly template: Template;
  /** The family's time to live as it was declared. */
  readonly ttl: Duration | undefined;
  /** A glob for `deletePattern`: the given parameters exactly, anything in place of the others. */
  match(parameters?: Partial<KeyParameters<Template>>): string;
  /** The parameters of a key of this family, whole, or `undefined` when the key is not of this family. */
  parse(key: string): ParsedParameters<Template> | undefined;
}

/**
 * Declares a family of keys, typed from its template. A parameter that holds `:`, a glob character, `{`, `}`, `\` or
 * `%` is percent-escaped, so no id can reach another's keys, neither through a key nor through a glob.
 *
 * A key that a pattern has made carries the pattern's `ttl`, `schema` and `tags` in every cache of the process: `set`
 * and `getOrSet` apply the `ttl` unless the call says otherwise, and add the `tags` to those of the call. A string
 * that was spelled by hand has the cache's `defaultTtl`, whatever it looks like. (Keys are plain strings, so it is the
 * text that is remembered. Of a pattern that has made tens of thousands of keys, every string that fits the template
 * counts as made.)
 *
 * @param template - Text with parameters in braces, each name once.
 * @param options - What holds for all values of this family.
 * @throws TypeError when the template is malformed, or, from the key maker, when a parameter is missing or empty.
 * @throws ConfigError when an option is unknown or can't be.
 *
 * @example
 * ```ts
 * import { keyPattern } from "@continuum-cache/core";
 *
 * const order = keyPattern("order:{region}:{id}", { ttl: "10m" });
 * order({ region: "eu", id: 7 }); // "order:eu:7"
 * order({ region: "eu", id: "a:*" }); // "order:eu:a%3A%2A"
 * order.match({ region: "eu" }); // "order:eu:*"
 * order.parse("order:eu:7"); // { region: "eu", id: "7" }
 * ```
 */
export function keyPattern<const Template extends string, Value = never>(
  template: Template,
  options: KeyPatternOptions<Template, Value> = {},
): KeyPattern<Template, Value> {
  assertOptions("keyPattern", options, knownOptions);
  const { schema, tags } = options;
  if (schema !== undefined && !isSchema(schema)) {
    const expected = "Expected `schema` to be a Standard Schema, such as one of zod or valibot";
    throw new ConfigError("schema", `${expected}, got ${quoted(schema)}`);
  }
  functionOption("tags", tags);
  const { literals, names } = parseTemplate(template);
  const ttlMs = options.ttl === undefined ? undefined : toMs(options.ttl, "ttl");
  const join = (part: (name: string) => string): string =>
    names.reduce((text, name, index) => text + part(name) + literals[index + 1], literals[0] as string);
  const shape = new RegExp(`^${literals.map(escapeRegExp).join("([^:*?[\\]{}\\\\]+)")}$`);

  const make = (parameters: Readonly<Record<string, unknown>> = {}): string => {
    const key = join((name) => escapeParameter(template, name, parameters[name]));
    assertKey(key);
    madeKeys.add(key, family);
    return key;
  };
  const match = (parameters: Readonly<Record<string, unknown>> = {}): string =>
    join((name) => (parameters[name] === undefined ? "*" : escapeParameter(template, name, parameters[name])));
  const parse = (key: string): Record<string, string> | undefined => {
    const found = shape.exec(key);
    if (!found) return undefined;
    const values = found.slice(1).map(unescapeParameter);
    return values.includes(undefined)
      ? undefined
      : Object.fromEntries(names.map((name, index) => [name, values[index] as string]));
  };
  const tagsOf = tags && ((key: string) => tags((parse(key) ?? {}) as ParsedParameters<Template>));
  const family: KeyFamily = { ttlMs, schema, tagsOf, parse };
  const pattern = Object.assign(make, { ...family, template, ttl: options.ttl, match });
  return pattern as unknown as KeyPattern<Template, Value>;
}

/** A template's fixed texts, one more than it has parameters, and its parameters in order. */
function parseTemplate(template: string): { literals: string[]; names: string[] } {
  if (typeof template !== "string" || template.length > maxTemplateLength) throw templateError(template);
  const parts = template.split(/\{(\w+)\}/);
  const literals = parts.filter((_, index) => index % 2 === 0);
  const names = parts.filter((_, index) => index % 2 === 1);
  // Only ":" is sure to be escaped inside a parameter; any other separator would let two sets of parameters share a
  // key.
  const ambiguous = literals.slice(1, -1).some((text) => !text.includes(":"));
  if (
    template === "" ||
    literals.some((text) => /[*?[\]{}\\]/.test(text) || !isWellFormed(text)) ||
    new Set(names).size < names.length ||
    ambiguous
  ) {
    throw templateError(template);
  }
  return { literals, names };
}

/** A longer one makes no key that a person could read, and in the end no regular expression. */
const maxTemplateLength = 1_024;

const templateError = (template: unknown): TypeError =>
  new TypeError(
    `Expected a template such as "order:{region}:{id}" (each parameter once, a ":" between any two, no glob ` +
      `characters, at most ${maxTemplateLength} characters), got ${quoted(template)}`,
  );

const special = /[:*?[\]{}\\%]/g;

function escapeParameter(template: string, name: string, value: unknown): string {
  const valid = typeof value === "number" ? Number.isFinite(value) : typeof value === "string" && value !== "";
  if (!valid) {
    const got = typeof value === "number" ? String(value) : value === "" ? '""' : typeof value;
    throw new TypeError(
      `Expected \`${name}\` of the key pattern "${template}" to be a non-empty string or a finite number, got ${got}`,
    );
  }
  const text = String(value);
  // Its bytes would be those of U+FFFD, and two different ids would share one key.
  if (!isWellFormed(text)) {
    throw new TypeError(
      `Expected \`${name}\` of the key pattern "${template}" to be well-formed text, got a lone surrogate`,
    );
  }
  return text.replace(special, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The text before escaping, or `undefined` when no escaping yields this: then the key was not made by a pattern. */
function unescapeParameter(escaped: string): string | undefined {
  const text = escaped.replace(/%([0-9A-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return text.replace(special, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`) === escaped
    ? text
    : undefined;
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
