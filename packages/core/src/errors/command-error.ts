import { brand, hasBrand } from "./brand.ts";
import { redact } from "./quoted.ts";

/**
 * Redis answered, and said no: WRONGTYPE, OOM, NOSCRIPT… It stands in its command's place among the replies.
 *
 * @example
 * ```ts
 * import { isCommandError, type Transport } from "@continuum-cache/core";
 *
 * async function isList(transport: Transport, key: string): Promise<boolean> {
 *   const [reply] = await transport.send([["LLEN", key]]);
 *   return !(isCommandError(reply) && reply.code === "WRONGTYPE");
 * }
 * ```
 */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** The first word of Redis' answer: `"WRONGTYPE"`, `"ERR"`, `"NOSCRIPT"`… */
  readonly code: string;

  /** @param text - Redis' own words; arguments that it repeats are cut out. */
  constructor(text: string) {
    super(redact(text));
    brand(this, "CommandError");
    this.code = /^[A-Z][A-Z0-9]*(?=\s|$)/.exec(text)?.[0] ?? "ERR";
  }
}

/** Tells a `CommandError` also when it comes from another copy of this package. */
export function isCommandError(value: unknown): value is CommandError {
  // Most replies are none at a glance.
  return typeof value === "object" && value !== null && !Array.isArray(value) && hasBrand(value, "CommandError");
}

/**
 * A reply that must not be a refusal. An absent one is `null`.
 *
 * @throws CommandError the refusal.
 *
 * @example
 * ```ts
 * import { type Transport } from "@continuum-cache/core";
 * import { unwrap } from "@continuum-cache/core/kit";
 *
 * async function lengthOf(transport: Transport, key: string): Promise<number> {
 *   const [length] = await transport.send([["LLEN", key]]);
 *   return Number(unwrap(length));
 * }
 * ```
 */
export function unwrap<Value>(reply: Value): Exclude<Value, CommandError | undefined> | null {
  if (isCommandError(reply)) throw reply;
  return (reply as Exclude<Value, CommandError | undefined> | undefined) ?? null;
}
