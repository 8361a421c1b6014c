const inspectCustom: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/**
 * Takes properties that hold secrets out of everything that prints, walks, copies or serializes an object:
 * `console.log`, `util.inspect` (hidden properties and getters included), `JSON.stringify`, loggers, test runners. By
 * name they can be read as before, and no longer be set.
 *
 * @returns the same object.
 *
 * @example
 * ```ts
 * import { conceal } from "@continuum-cache/core/kit";
 *
 * const login = conceal({ user: "ada", password: "secret" }, "password");
 * console.log(login, login.password); // { user: 'ada' } secret
 * ```
 */
export function conceal<Concealing extends object>(
  object: Concealing,
  ...names: readonly (keyof Concealing)[]
): Concealing {
  for (const name of names) {
    const own = Object.getOwnPropertyDescriptor(object, name);
    const get = own?.get ?? ((): unknown => own?.value);
    Object.defineProperty(object, name, { get, enumerable: false, configurable: true });
  }
  // Node prints what this returns, in the place of the object.
  return Object.defineProperty(object, inspectCustom, { value: () => ({ ...object }), configurable: true });
}
