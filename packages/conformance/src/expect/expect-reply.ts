import { isCommandError, type Reply } from "@continuum-cache/core";

/** Checks a reply. `mismatch` describes what is wrong; `undefined` when the reply is right. */
export interface Matcher {
  readonly mismatch: (actual: unknown) => string | undefined;
}

/** An expected reply: a reply (errors compare by their code), with matchers at any place. */
export type Expected = Reply | Matcher | readonly Expected[];

/**
 * Compares a reply with the expected one: deeply, bytes by their content, errors by their code.
 *
 * @throws Error that names the place of the first difference and shows both sides.
 *
 * @example
 * ```ts
 * import { expectReply } from "@continuum-cache/conformance";
 *
 * expectReply(["a", new Uint8Array([0xff])], ["a", new Uint8Array([0xff])]);
 * ```
 */
export function expectReply(actual: unknown, expected: Expected): void {
  const difference = differenceOf(actual, expected, "");
  if (difference !== undefined) throw new Error(difference);
}

/** An error whose code is the given one, and whose text matches. */
export function errorWith(code: string, text?: RegExp): Matcher {
  return {
    mismatch(actual) {
      const wanted = `a CommandError with code ${code}${text ? ` and a text like ${text}` : ""}`;
      const right = isCommandError(actual) && actual.code === code && (text?.test(actual.message) ?? true);
      return right ? undefined : `expected ${wanted}, got ${show(actual)}`;
    },
  };
}

/** Any error that Redis may answer. */
export const anyError: Matcher = {
  mismatch: (actual) => (isCommandError(actual) ? undefined : `expected a CommandError, got ${show(actual)}`),
};

/** A whole number within bounds, both included: for times, which change while a test runs. */
export function between(min: number, max: number): Matcher {
  return {
    mismatch: (actual) =>
      Number.isInteger(actual) && (actual as number) >= min && (actual as number) <= max
        ? undefined
        : `expected a whole number from ${min} to ${max}, got ${show(actual)}`,
  };
}

/** An array with these elements, in any order: for replies whose order Redis leaves open. */
export function anyOrder(elements: readonly Expected[]): Matcher {
  return {
    mismatch(actual) {
      if (!Array.isArray(actual)) return `expected an array, got ${show(actual)}`;
      const left = [...actual];
      for (const element of elements) {
        const index = left.findIndex((candidate) => differenceOf(candidate, element, "") === undefined);
        if (index < 0) return `expected an element ${show(element)} in ${show(actual)}`;
        left.splice(index, 1);
      }
      return left.length === 0 ? undefined : `expected no element ${show(left[0])} in ${show(actual)}`;
    },
  };
}

/**
 * A flat array of names and values that has at least these, in whichever order: for replies that tell facts by name.
 */
export function facts(wanted: Readonly<Record<string, Expected>>): Matcher {
  return {
    mismatch(actual) {
      if (!Array.isArray(actual)) return `expected an array, got ${show(actual)}`;
      for (const [name, value] of Object.entries(wanted)) {
        const at = actual.findIndex((item, index) => index % 2 === 0 && item === name);
        if (at < 0) return `expected a fact ${show(name)} in ${show(actual)}`;
        const difference = differenceOf(actual[at + 1], value, "");
        if (difference !== undefined) return `${name}: ${difference}`;
      }
      return undefined;
    },
  };
}

/** A text that matches. */
export function textLike(pattern: RegExp): Matcher {
  return {
    mismatch: (actual) =>
      typeof actual === "string" && pattern.test(actual)
        ? undefined
        : `expected a text like ${pattern}, got ${show(actual)}`,
  };
}

function differenceOf(actual: unknown, expected: Expected, path: string): string | undefined {
  const at = path === "" ? "" : `at ${path}: `;
  const differ = () => `${at}expected ${show(expected)}, got ${show(actual)}`;
  if (isMatcher(expected)) {
    const mismatch = expected.mismatch(actual);
    return mismatch === undefined ? undefined : `${at}${mismatch}`;
  }
  if (isCommandError(expected)) {
    return isCommandError(actual) && actual.code === expected.code ? undefined : differ();
  }
  if (expected instanceof Uint8Array) {
    return actual instanceof Uint8Array && hex(actual) === hex(expected) ? undefined : differ();
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return differ();
    if (actual.length !== expected.length) {
      return `${at}expected ${expected.length} element(s), got ${actual.length}: ${show(actual)}`;
    }
    for (const [index, element] of expected.entries()) {
      const difference = differenceOf(actual[index], element, `${path}[${index}]`);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  return Object.is(actual, expected) ? undefined : differ();
}

const isMatcher = (expected: Expected): expected is Matcher =>
  typeof expected === "object" && expected !== null && "mismatch" in expected;

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");

/** A value as an error message shows it, cut where it is long. */
export function show(value: unknown): string {
  const text = (() => {
    if (isCommandError(value)) return `CommandError(${value.message})`;
    if (value instanceof Uint8Array) return `bytes(${hex(value.subarray(0, 40))}${value.length > 40 ? " …" : ""})`;
    if (Array.isArray(value)) return `[${value.slice(0, 20).map(show).join(", ")}${value.length > 20 ? ", …" : ""}]`;
    if (typeof value === "object" && value !== null && "mismatch" in value) return "(a matcher)";
    if (typeof value === "string") return JSON.stringify(value.slice(0, 200));
    return String(value);
  })();
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
