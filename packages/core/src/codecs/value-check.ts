import { CodecError } from "../errors/codec-error.ts";

/**
 * A value with more levels than this is neither written nor read, by any codec: what walks a deeper one
 * (structuredClone, JSON.stringify) overflows the stack.
 */
export const maxDepth = 100;

/** What a codec gives back as it was, besides plain objects, arrays, texts, booleans, finite numbers and null. */
export interface ValueRules {
  /** The codec's name. */
  readonly codec: string;
  /** How its format is called in errors. */
  readonly format: string;
  /** Why a text, a number or a bigint does not come back as it was; `undefined` when it does. */
  refuse(primitive: string | number | bigint): string | undefined;
  /** The same for the name of a field. */
  refuseField?(name: string): string | undefined;
  /**
   * The parts of an object that is neither plain nor an array, each with its place in a path. `undefined` when such an
   * object does not come back as it was.
   */
  partsOf(value: object): Iterable<readonly [place: string, part: unknown]> | undefined;
  /** What to do instead. @param what - What is refused, as `refuse` and the others have said it. */
  advice(value: unknown, what: string): string;
}

/** What can't be held, and the places on the way to it, the innermost first. */
interface Finding {
  readonly what: string;
  readonly value: unknown;
  readonly places: string[];
}

/**
 * Checks that a value comes back as it was. A field of a plain object that is `undefined` is left out, as JSON does;
 * everything else that a codec would change is rejected.
 *
 * @throws CodecError that names the path and the kind of thing, never a value.
 */
export function assertHoldable(value: unknown, rules: ValueRules): void {
  let finding: Finding | undefined;
  try {
    finding = find(value, rules, []);
  } catch (cause) {
    throw new CodecError(rules.codec, `Reading the value failed, so ${rules.format} can't hold it`, { cause });
  }
  if (!finding) return;
  const path = `$${finding.places.reverse().join("")}`.slice(0, 200);
  throw new CodecError(
    rules.codec,
    `${rules.format} can't hold ${finding.what} (at ${path}); ${rules.advice(finding.value, finding.what)}`,
  );
}

const found = (what: string, value: unknown): Finding => ({ what, value, places: [] });

function find(value: unknown, rules: ValueRules, ancestors: object[]): Finding | undefined {
  switch (typeof value) {
    case "boolean":
      return undefined;
    case "string":
    case "number":
    case "bigint": {
      const what = rules.refuse(value);
      return what === undefined ? undefined : found(what, value);
    }
    case "object":
      break;
    default:
      return found(value === undefined ? "undefined" : `a ${typeof value}`, value);
  }
  if (value === null) return undefined;
  if (ancestors.includes(value)) return found("a circular reference", value);
  if (ancestors.length === maxDepth) return found(`more than ${maxDepth} levels`, value);
  ancestors.push(value);
  const finding = Array.isArray(value) ? inArray(value, rules, ancestors) : inObject(value, rules, ancestors);
  ancestors.pop();
  return finding;
}

function inArray(list: readonly unknown[], rules: ValueRules, ancestors: object[]): Finding | undefined {
  if (!isArrayPrototype(Object.getPrototypeOf(list))) return found(kindOf(list), list);
  for (let index = 0; index < list.length; index++) {
    const item = list[index];
    // A text or a number is by far the most frequent item, and needs no look at what stands around it.
    const finding = item === undefined && !(index in list) ? found("a hole", item) : find(item, rules, ancestors);
    if (finding) return at(`[${index}]`, finding);
  }
  return hasMoreThanItems(list) ? found("an array with properties of its own", list) : undefined;
}

function inObject(value: object, rules: ValueRules, ancestors: object[]): Finding | undefined {
  if (!isPlain(value)) return inParts(value, rules, ancestors);
  if (hasSymbol(value)) return found("a field that is named by a symbol", value);
  for (const name of Object.keys(value)) {
    const field = Object.getOwnPropertyDescriptor(value, name);
    if (field?.get || field?.set) return at(placeOf(name), found("a getter", value));
    const what = rules.refuseField?.(name);
    if (what !== undefined) return at(placeOf(name), found(what, value));
    const part = field?.value as unknown;
    const finding = part === undefined ? undefined : find(part, rules, ancestors);
    if (finding) return at(placeOf(name), finding);
  }
  return undefined;
}

function inParts(value: object, rules: ValueRules, ancestors: object[]): Finding | undefined {
  const parts = rules.partsOf(value);
  if (!parts) return found(kindOf(value), value);
  for (const [place, part] of parts) {
    const finding = find(part, rules, ancestors);
    if (finding) return at(place, finding);
  }
  // Each element of a typed array counts as a key.
  const hasMore = !ArrayBuffer.isView(value) && Object.keys(value).length > 0;
  return hasMore ? found(`${kindOf(value)} with properties of its own`, value) : undefined;
}

function at(place: string, finding: Finding): Finding {
  finding.places.push(place);
  return finding;
}

/** A field's name as it stands in a path. */
export function placeOf(name: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? `.${name.slice(0, 40)}` : `[${JSON.stringify(name.slice(0, 40))}]`;
}

/**
 * An object literal, or one without a prototype; also of another realm, as the objects of Node's own modules are in
 * Jest.
 */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype && !isObjectPrototype(prototype)) return false;
  return Object.prototype.toString.call(value) === "[object Object]";
}

const isObjectPrototype = (prototype: unknown): boolean =>
  Object.hasOwn(prototype as object, "isPrototypeOf") && Object.getPrototypeOf(prototype) === null;

export const isArrayPrototype = (prototype: unknown): boolean =>
  prototype === Array.prototype ||
  (Array.isArray(prototype) && isObjectPrototype(Object.getPrototypeOf(prototype) ?? Object.prototype));

/**
 * Whether an array without holes has properties of its own: where all places are taken, what is beyond their number
 * is no item.
 */
export const hasMoreThanItems = (list: readonly unknown[]): boolean =>
  Object.keys(list).length > list.length || hasSymbol(list);

export function hasSymbol(value: object): boolean {
  const symbols = Object.getOwnPropertySymbols(value);
  return symbols.length > 0 && hasEnumerable(value, symbols);
}

const hasEnumerable = (value: object, symbols: readonly symbol[]): boolean =>
  symbols.some((symbol) => Object.prototype.propertyIsEnumerable.call(value, symbol));

/** "a Map", "an Error", "a Promise (an `await` is missing)": what kind of object this is. */
function kindOf(value: object): string {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return "binary data";
  if (value instanceof Date && Number.isNaN(value.getTime())) return "an invalid Date";
  if (value instanceof Promise) return "a Promise (an `await` is missing)";
  const maker: unknown = value.constructor;
  const name = typeof maker === "function" && maker.name !== "" ? maker.name.slice(0, 40) : "object of a class";
  if (name === "Object" || name === "Array") return "an object with a prototype of its own";
  return `${/^[AEIO]/i.test(name) ? "an" : "a"} ${name}`;
}
