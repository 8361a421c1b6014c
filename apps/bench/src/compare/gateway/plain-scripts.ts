import { createHash } from "node:crypto";

type Command = readonly (string | number)[];

/** Scripts as a plain Redis takes them. */
export interface PlainScripts {
  rewrite(command: Command): Command;
}

const sha1 = (text: string): string => createHash("sha1").update(text).digest("hex");

/** Upstash knows a flag for scripts that a plain Redis refuses: the line is left out, and its hash is replaced. */
export function createPlainScripts(): PlainScripts {
  const hashes = new Map<unknown, string>();
  return {
    rewrite(command) {
      const [name, script, ...rest] = command;
      switch (String(name).toUpperCase()) {
        case "EVALSHA":
          return [name as string, hashes.get(script) ?? (script as string), ...rest];
        case "EVAL": {
          const plain = String(script).replace(/^#!lua flags=allow-key-locking/, "");
          if (plain !== script) hashes.set(sha1(String(script)), sha1(plain));
          return [name as string, plain, ...rest];
        }
        default:
          return command;
      }
    },
  };
}
