/**
 * Marks an error as ours. The mark is not printed. It is recognized across two copies of a package, where
 * `instanceof` fails.
 *
 * @example
 * ```ts
 * import { brand, hasBrand } from "@continuum-cache/core/kit";
 *
 * class LateError extends Error {
 *   constructor() {
 *     super("Too late");
 *     brand(this, "LateError");
 *   }
 * }
 * const isLateError = (value: unknown): value is LateError => hasBrand(value, "LateError");
 * ```
 */
export function brand(error: Error, name: string): void {
  Object.defineProperty(error, Symbol.for(`continuum-cache.${name}`), { value: true });
}

/** Whether something is an error that was marked by this name. */
export function hasBrand(value: unknown, name: string): boolean {
  return typeof value === "object" && value !== null && Symbol.for(`continuum-cache.${name}`) in value;
}
