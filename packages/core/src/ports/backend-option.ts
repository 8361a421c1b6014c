import { ConfigError } from "../errors/config-error.ts";
import { quoted } from "../errors/quoted.ts";
import type { Transport } from "./transport.ts";

/**
 * Reads what a feature is built on: a cache, or any object with a transport.
 *
 * @param name - The option that holds it; by default it is an argument of its own.
 * @throws ConfigError that quotes what came when it has no transport.
 *
 * @example
 * ```ts
 * import { type Transport } from "@continuum-cache/core";
 * import { backendOption } from "@continuum-cache/core/kit";
 *
 * class Greetings {
 *   readonly #transport: Transport;
 *
 *   constructor(backend: { readonly transport: Transport }) {
 *     this.#transport = backendOption(backend);
 *   }
 *
 *   greet = () => this.#transport.send([["INCR", "greetings"]]);
 * }
 * ```
 */
export function backendOption(backend: { readonly transport: Transport }, name?: string): Transport {
  const { transport } = backend ?? {};
  if (typeof transport?.send === "function") return transport;
  const expected = name === undefined ? "Expected" : `Expected \`${name}\` to be`;
  throw new ConfigError(
    name ?? "transport",
    `${expected} a Cache, or { transport } with a Transport, got ${quoted(transport)} as transport`,
  );
}
