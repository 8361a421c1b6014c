import { sha1 } from "../hash/sha1.ts";
import type { Argument, Reply } from "../ports/transport.ts";
import { knownScript } from "./known-scripts.ts";

/**
 * What the TypeScript face of a script sees: the same database, through the same commands, as the Lua face.
 * `call` throws the `CommandError` that the command answers, as `redis.call` does.
 */
export interface ScriptContext {
  call(name: string, ...args: Argument[]): Reply;
  readonly keys: readonly string[];
  readonly args: readonly (string | Uint8Array)[];
}

/** An atomic operation with two faces that may never differ: Lua for Redis, TypeScript for the memory backend. */
export interface Script {
  readonly name: string;
  /** How many keys it takes. */
  readonly keys: number | "any";
  readonly lua: string;
  /** The name under which Redis keeps it: SHA-1 of the Lua text. */
  readonly sha1: string;
  readonly memory: (context: ScriptContext) => Reply;
}

/**
 * Defines a script. Do it once, at the top of a module: a backend without Lua finds the TypeScript face by the text.
 *
 * @example
 * ```ts
 * import { defineScript } from "@continuum-cache/core/kit";
 *
 * const takeIfEqual = defineScript({
 *   name: "take-if-equal",
 *   keys: 1,
 *   lua: `
 *     if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
 *     return 0`,
 *   memory: ({ call, keys, args }) => (call("GET", keys[0]!) === args[0] ? call("DEL", keys[0]!) : 0),
 * });
 * ```
 */
export function defineScript(definition: Omit<Script, "sha1">): Script {
  let hash: string | undefined;
  return knownScript({
    ...definition,
    // Hashing takes milliseconds, and a program defines many scripts that it never sends.
    get sha1(): string {
      hash ??= sha1(definition.lua);
      return hash;
    },
  });
}
