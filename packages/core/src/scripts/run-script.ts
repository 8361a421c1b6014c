import { isCommandError, unwrap } from "../errors/command-error.ts";
import type { Argument, Reply, SendOptions, Transport } from "../ports/transport.ts";
import { assertOptions, type KnownOptions } from "../settings/options.ts";
import { defaultTimeoutMs } from "../time/with-deadline.ts";
import type { Script } from "./script.ts";

const knownOptions: KnownOptions<SendOptions> = {
  timeoutMs: true,
  signal: true,
  atomic: true,
  isWanted: true,
  fallback: true,
  invalidates: true,
  announce: true,
};

/**
 * Runs a script: by its hash, and once more by its text when the server does not know it (NOSCRIPT), and on nothing
 * else, since a catch-all retry would count twice.
 *
 * @throws ConfigError when an option is unknown, RangeError when it is not called with as many keys as it takes.
 * @throws CommandError when the script, or Redis on its behalf, says no.
 * @throws TransportError when no answer came.
 *
 * @example
 * ```ts
 * import { type Transport } from "@continuum-cache/core";
import { defineScript, runScript } from "@continuum-cache/core/kit";
 *
 * const touch = defineScript({
 *   name: "touch",
 *   keys: 1,
 *   lua: `return redis.call("EXPIRE", KEYS[1], ARGV[1])`,
 *   memory: ({ call, keys, args }) => call("EXPIRE", keys[0]!, args[0]!),
 * });
 *
 * const touched = (transport: Transport, key: string) => runScript(transport, touch, [key], [60]);
 * ```
 */
export async function runScript(
  transport: Transport,
  script: Script,
  keys: readonly Argument[],
  args: readonly Argument[],
  options?: SendOptions,
): Promise<Reply> {
  assertOptions("runScript", options, knownOptions);
  if (script.keys !== "any" && keys.length !== script.keys) {
    throw new RangeError(`Expected ${script.keys} key(s) for the script "${script.name}", got ${keys.length}`);
  }
  const rest = [keys.length, ...keys, ...args];
  const startedMs = performance.now();
  const send = async (name: string, body: string) => {
    const leftMs = (options?.timeoutMs ?? defaultTimeoutMs) - (performance.now() - startedMs);
    // Both trips are one call, with one deadline; in steps, so that calls of one tick still have the same and go
    // together.
    const own = name === "EVALSHA" ? {} : { timeoutMs: Math.max(1, Math.floor(leftMs / 10) * 10) };
    return (await transport.send([[name, body, ...rest]], { ...options, ...own }))[0];
  };
  let reply = await send("EVALSHA", script.sha1);
  if (isCommandError(reply) && reply.code === "NOSCRIPT") reply = await send("EVAL", script.lua);
  return unwrap(reply);
}
