import { createHash } from "node:crypto";
import type { Argument, Command } from "@continuum-cache/core";
import { argumentText } from "../protocol/argument-text.ts";
import type { Translation } from "./translation.ts";

const flag = "allow-key-locking";

/** Dropping a script is harmless: Redis answers NOSCRIPT, and callers send the text again. */
const maxScripts = 10_000;

/**
 * The service has a script flag that Redis refuses: `#!lua flags=allow-key-locking`. It is removed from scripts on
 * their way to Redis. Callers still use the hash of the text that they have sent.
 */
export function createKeyLocking(): Translation {
  /** The hash that callers know -> the hash that Redis knows. */
  const hashes = new Map<string, string>();

  const rewriteScript = (script: Argument | undefined): Argument | undefined => {
    if (typeof script !== "string") return script;
    const stripped = withoutFlag(script);
    if (stripped === script) return script;
    if (hashes.size >= maxScripts) hashes.delete(hashes.keys().next().value as string);
    hashes.set(sha1(script), sha1(stripped));
    return stripped;
  };
  const rewriteHash = (hash: Argument): Argument => hashes.get(argumentText(hash).toLowerCase()) ?? hash;

  return {
    rewrite(command) {
      const [name, first, ...rest] = command;
      if (first === undefined) return command;
      switch (name) {
        case "EVAL":
        case "EVAL_RO":
          return [name, rewriteScript(first) ?? first, ...rest];
        case "EVALSHA":
        case "EVALSHA_RO":
          return [name, rewriteHash(first), ...rest];
        case "SCRIPT":
          if (isLoad(command)) return [name, first, ...rest.map((script) => rewriteScript(script) ?? script)];
          if (argumentText(first).toUpperCase() === "EXISTS") return [name, first, ...rest.map(rewriteHash)];
          return command;
        default:
          return command;
      }
    },
    restore(original, reply) {
      const script = original[2];
      return isLoad(original) &&
        typeof reply === "string" &&
        typeof script === "string" &&
        withoutFlag(script) !== script
        ? sha1(script)
        : reply;
    },
  };
}

const isLoad = ([name, first]: Command): boolean => name === "SCRIPT" && argumentText(first).toUpperCase() === "LOAD";

/** Keeps the line, so that the line numbers of errors stay right, and other flags. */
function withoutFlag(script: string): string {
  const [shebang = "", flags] = /^#!lua[ \t]+flags=([\w,-]*)[ \t\r]*(?=\n|$)/.exec(script) ?? [];
  if (!flags?.split(",").includes(flag)) return script;
  const kept = flags.split(",").filter((each) => each !== flag && each !== "");
  return (kept.length > 0 ? `#!lua flags=${kept.join(",")}` : "") + script.slice(shebang.length);
}

const sha1 = (text: string): string => createHash("sha1").update(text, "utf8").digest("hex");
