type ErrorName = "CodecError" | "CommandError" | "ConfigError" | "TransportError";

/** Marks an error as ours, invisibly to whoever prints it. `instanceof` fails across two copies of a package; this doesn't. */
export function brand(error: Error, name: ErrorName): void {
  Object.defineProperty(error, Symbol.for(`continuum-cache.${name}`), { value: true });
}

export function hasBrand(value: unknown, name: ErrorName): boolean {
  return typeof value === "object" && value !== null && Symbol.for(`continuum-cache.${name}`) in value;
}
